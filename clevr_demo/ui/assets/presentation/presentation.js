// Presentation mode: a class on the page hides the controls and enlarges the duel; keys do the rest.
const opener = element.querySelector('[data-open]');
const keys = element.querySelector('.keys');
const page = document.documentElement;
const duel = () => document.querySelector('#duel .duel')?.duel;
const press = (selector) => document.querySelector(selector)?.click();
const onGoing = () => page.classList.contains('presenting');

function look(name) {
  press(`#duel [data-switch="${name}"]`);
}

const ACTS = {
  ' ': () => duel()?.moves.play(),
  ArrowLeft: () => (duel()?.pause(), duel()?.moves.back()),
  ArrowRight: () => (duel()?.pause(), duel()?.moves.on()),
  Home: () => (duel()?.pause(), duel()?.moves.start()),
  End: () => (duel()?.pause(), duel()?.moves.end()),
  d: () => press('#generate'),
  s: () => press('#surprise'),
  n: () => (press('#dice'), setTimeout(() => press('#generate'), 50)),
  r: () => look('rings'),
  p: () => look('places'),
  w: () => look('wipe'),
  g: () => press('#guess [data-open]'),
  l: () => press('#lessons [data-open]'),
  c: () => page.classList.toggle('presenting-controls'),
  '?': () => (keys.hidden = !keys.hidden),
  Escape: leave,
};

// How much larger all is, by the screen's height; a low one has no room for the dice.
function fit() {
  const low = innerHeight < 1000;
  page.classList.toggle('low', low);
  page.style.setProperty('--zoom', low ? (innerHeight < 800 ? 1.1 : 1.25) : 1.4);
}

async function enter() {
  fit();
  document.querySelector('#tabs button[role="tab"]')?.click();
  page.classList.add('presenting');
  opener.setAttribute('aria-pressed', 'true');
  opener.textContent = 'Leave';
  opener.blur(); // else the first Space, which plays, would press it again and leave
  document.querySelector('#duel .scrub')?.focus({ preventScroll: true });
  keys.hidden = false;
  try {
    await page.requestFullscreen?.();
  } catch {
    // an embedded page may not fill the screen: it is larger and without controls all the same
  }
}

function leave() {
  page.classList.remove('presenting', 'presenting-controls');
  opener.setAttribute('aria-pressed', 'false');
  opener.textContent = 'Present';
  keys.hidden = true;
  if (document.fullscreenElement) document.exitFullscreen();
}

window.addEventListener('resize', () => onGoing() && fit());
opener.addEventListener('click', () => (onGoing() ? leave() : enter()));
document.addEventListener('fullscreenchange', () => {
  if (!document.fullscreenElement && onGoing()) leave();
});
document.addEventListener('keydown', (event) => {
  if (!onGoing() || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const { target } = event;
  if (target.closest('input:not([type="range"], [type="checkbox"]), textarea, select, [role="grid"]')) return;
  if (event.key === ' ' && target.closest('button, input')) return; // a focused button keeps its own Space
  const act = ACTS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
