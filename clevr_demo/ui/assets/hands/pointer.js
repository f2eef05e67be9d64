// Taking a mark by mouse, pen or finger. What moves is followed on the window: nodes may be made anew meanwhile.
const SLACK = 5; // pixels that a press may wander and still be a tap
let drag = null;
let aim = null; // a tap on the picture, of where a mark that was tapped is to stand

const canvasAt = ({ x, y }) => document.elementsFromPoint(x, y).map((one) => one.closest('#duel .canvas')).find(Boolean);
const modelOf = (canvas) => canvas.closest('.stage').dataset.model;
const isTap = (from, { x, y }) => Math.hypot(x - from.x, y - from.y) < SLACK;
const pointOf = ({ clientX, clientY }) => ({ x: clientX, y: clientY });

// The pin that a mouse or a key acts on; a finger near it is meant for the mark, whose bar lets go.
const pinOf = (event) => (['touch', 'pen'].includes(event.pointerType) ? null : event.target.closest('#duel .pin'));

function focusGrip(canvas, name) {
  canvas.querySelector(`.grip[data-name="${name}"] .grip-slider`)?.focus({ preventScroll: true });
}

function press(event) {
  const canvas = event.target.closest('#duel .canvas');
  if (!canvas || event.button || drag || pinOf(event)) return;
  const [box, point] = [canvas.getBoundingClientRect(), pointOf(event)];
  const mark = nearestMark(marksOf(modelOf(canvas)), box, point);
  if (!mark) {
    if (hand.armed) aim = { canvas, id: event.pointerId, from: point };
    return;
  }
  finish();
  const [down, across] = shareOf(mark.place);
  // It is taken where it was pressed, so that it does not jump.
  const grasp = { x: box.left + across * box.width - point.x, y: box.top + down * box.height - point.y };
  drag = { canvas, name: mark.name, id: event.pointerId, from: point, grasp, going: false, ghost: ghostOf(mark.name) };
  drag.ghost.show(false);
  canvas.setPointerCapture(event.pointerId);
  const again = hand.chosen === mark.name && hand.armed;
  choose(mark.name, modelOf(canvas));
  focusGrip(canvas, mark.name);
  Object.assign(hand, { armed: !again });
  event.preventDefault();
}

function follow(event) {
  if (!drag || event.pointerId !== drag.id) return;
  if (event.pointerType === 'mouse' && !event.buttons) return drop(event); // it was let go where nobody could see it
  const point = pointOf(event);
  if (!drag.going && isTap(drag.from, point)) return;
  take(modelOf(drag.canvas)); // again, where a key has ended the move
  drag.going = true;
  hand.armed = false;
  const there = placeAt(drag.canvas.getBoundingClientRect(), { x: point.x + drag.grasp.x, y: point.y + drag.grasp.y });
  drag.ghost.show(!there);
  drag.ghost.move(point);
  root().classList.add('taken');
  put(drag.name, there);
}

function place({ canvas, from }, point) {
  if (!isTap(from, point)) return;
  const name = hand.chosen;
  take(modelOf(canvas));
  put(name, placeAt(canvas.getBoundingClientRect(), point));
  finish();
  focusGrip(canvas, name);
}

function drop(event) {
  if (aim?.id === event.pointerId) place(aim, pointOf(event));
  aim = null;
  if (!drag || event.pointerId !== drag.id) return;
  const { going, canvas, name } = drag;
  release();
  if (going) finish();
  focusGrip(canvas, name);
  changed();
}

function release() {
  drag?.ghost.remove();
  drag = null;
  root().classList.remove('taken');
}

function letGo() {
  release();
  cancel();
}

document.addEventListener('pointerdown', press);
window.addEventListener('pointermove', follow);
window.addEventListener('pointerup', drop);
window.addEventListener('pointercancel', (event) => {
  aim = null;
  if (event.pointerId === drag?.id) letGo();
});
document.addEventListener('click', (event) => {
  const pin = pinOf(event);
  if (pin) free(pin.closest('.grip').dataset.name);
});
document.addEventListener('pointerdown', (event) => {
  if (hand.chosen && !event.target.closest('#duel .canvas, #hands, #studio.sheet-open #ask')) choose('');
});
