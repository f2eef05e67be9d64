// An icon of the picker is dragged onto a picture: at once by mouse, after a long press by finger.
const LONG = 350; // milliseconds
let picked = null;

function pickUp() {
  picked.going = true;
  picked.ghost = ghostOf(picked.name);
  picked.ghost.move(picked.at);
  document.getElementById('studio').classList.add('sheet-aside'); // on a phone the picker lies over the pictures
  window.getSelection()?.removeAllRanges();
}

function swallow(event) {
  event.preventDefault();
  event.stopPropagation();
}

function layDown(settled) {
  const { going, ghost, timer } = picked;
  clearTimeout(timer);
  ghost?.remove();
  document.getElementById('studio').classList.remove('sheet-aside');
  picked = null;
  if (!going) return;
  window.addEventListener('click', swallow, true); // letting go on the icon itself is no tick
  setTimeout(() => window.removeEventListener('click', swallow, true));
  if (settled) finish();
  else cancel();
}

function carry(event) {
  if (!picked || event.pointerId !== picked.id) return;
  picked.at = pointOf(event);
  const far = !isTap(picked.from, picked.at);
  if (!picked.going && far && event.pointerType !== 'mouse') return layDown(false); // a finger that scrolls
  if (!picked.going && far) pickUp();
  if (!picked.going) return;
  picked.ghost.move(picked.at);
  const canvas = canvasAt(picked.at);
  picked.ghost.show(!canvas);
  if (canvas && marksOf(modelOf(canvas)).length) {
    take(modelOf(canvas));
    Object.assign(hand, { chosen: picked.name, model: modelOf(canvas) });
    put(picked.name, placeAt(canvas.getBoundingClientRect(), picked.at));
    picked.inside = true;
  } else if (picked.inside) {
    cancel(); // off the picture again it is as it was
    picked.inside = false;
  }
}

document.addEventListener('pointerdown', (event) => {
  const cell = event.target.closest('#picker .cell');
  if (!cell || event.button || picked) return;
  finish();
  picked = { name: cell.querySelector('input').value, id: event.pointerId, from: pointOf(event), at: pointOf(event), going: false, inside: false };
  if (event.pointerType !== 'mouse') picked.timer = setTimeout(pickUp, LONG);
});
window.addEventListener('pointermove', carry);
window.addEventListener('pointerup', (event) => picked?.id === event.pointerId && layDown(picked.inside));
window.addEventListener('pointercancel', (event) => picked?.id === event.pointerId && layDown(false));
// Neither the browser's menu nor its scrolling nor its own dragging takes an icon out of one's hand.
document.addEventListener('contextmenu', (event) => (picked?.going || drag) && event.preventDefault());
document.addEventListener('touchmove', (event) => picked?.going && event.preventDefault(), { passive: false });
document.addEventListener('dragstart', (event) => event.target.closest?.('#picker') && event.preventDefault());
