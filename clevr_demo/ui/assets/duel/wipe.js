// The wipe: both pictures stand on one place, the left one up to a divider and the right one from there on. They are the
// stages' own, so rings, places and steps stay as they are.
const wipe = element.querySelector('.wipe');
const divider = wipe.querySelector('input');
const ROOM = 0.26; // of the picture's width, which a side's name takes

function wipeTo(share) {
  const part = Math.max(0, Math.min(1, share));
  divider.value = Math.round(100 * part);
  root.style.setProperty('--wipe', part);
  const [left, right] = contenders();
  const [first, second] = wipe.querySelectorAll('.wipe-name');
  Object.assign(first, { textContent: left.title, hidden: part < ROOM });
  Object.assign(second, { textContent: right.title, hidden: part > 1 - ROOM });
  divider.setAttribute('aria-valuetext', `${left.title} ${percent(part)}, ${right.title} ${percent(1 - part)}`);
}

divider.addEventListener('input', () => wipeTo(divider.value / 100));
// In a presentation, arrow keys go from step to step elsewhere.
divider.addEventListener('keydown', (event) => /^(Arrow|Home|End|Page)/.test(event.key) && event.stopPropagation());
const handle = wipe.querySelector('.wipe-line');
handle.addEventListener('pointerdown', (event) => {
  handle.setPointerCapture(event.pointerId);
  divider.focus({ preventScroll: true });
  event.preventDefault();
  event.stopPropagation(); // no mark beneath is taken
});
handle.addEventListener('pointermove', (event) => {
  if (!handle.hasPointerCapture(event.pointerId)) return;
  const box = wipe.getBoundingClientRect();
  wipeTo((event.clientX - box.left) / box.width);
});
