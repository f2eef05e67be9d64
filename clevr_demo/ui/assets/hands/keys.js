// The keyboard: arrows move the chosen mark, Delete removes it, Escape restores, Ctrl+Z and Ctrl+Y undo and redo.
const TYPED = 'input:not([type="range"], [type="checkbox"], [type="radio"]), textarea, select, [contenteditable="true"]';
const OTHERS = '[role="grid"], [role="dialog"]'; // have arrow keys of their own
const presenting = () => document.documentElement.classList.contains('presenting');

function undoKey(event) {
  const key = event.key.toLowerCase();
  if (!(event.ctrlKey || event.metaKey) || event.altKey || event.target.closest?.(TYPED)) return null;
  if (key === 'z') return event.shiftKey ? redo : undo;
  return key === 'y' ? redo : null;
}

// The focus stays among the marks of the picture.
function removeChosen() {
  const { model, chosen } = hand;
  remove(chosen);
  document.querySelector(`#duel .stage[data-model="${model}"] .grip-slider`)?.focus({ preventScroll: true });
}

const MARK_KEYS = {
  Delete: removeChosen,
  Backspace: removeChosen,
  Enter: () => finish(),
};

// What a key does with the chosen mark; in a presentation wherever the focus is.
function markKey(event) {
  if (!hand.chosen || event.ctrlKey || event.metaKey || event.altKey) return null;
  const on = event.target.closest?.('.grip') || (presenting() && !event.target.closest?.(`${TYPED}, ${OTHERS}`));
  if (!on || (event.key === 'Enter' && event.target.closest?.('button, summary, a'))) return null;
  if (event.key in ARROWS) return () => nudge(event.key, event.shiftKey ? 4 : 1);
  return MARK_KEYS[event.key];
}

function escape() {
  if (drag) return letGo;
  if (picked?.going) return () => layDown(false);
  if (hand.moving) return cancel;
  return hand.chosen ? () => choose('') : null;
}

window.addEventListener('keydown', (event) => {
  const moving = drag || picked?.going; // one drag is one step to undo
  const act = event.key === 'Escape' ? escape() : moving ? null : (undoKey(event) ?? markKey(event));
  if (!act) return;
  event.preventDefault();
  event.stopPropagation();
  act();
}, true);

document.addEventListener('focusin', (event) => {
  const grip = event.target.closest('.grip');
  if (grip) choose(grip.dataset.name, grip.closest('.stage').dataset.model);
});
// A slider that a screen reader moves.
document.addEventListener('input', (event) => {
  const slider = event.target.closest('.grip-slider');
  if (!slider) return;
  const { name } = slider.closest('.grip').dataset;
  const value = Number(slider.value); // choosing fills the sliders anew
  choose(name, slider.closest('.stage').dataset.model);
  const place = [...chosenMark().place];
  place[Number(slider.dataset.axis)] = value;
  shift(place);
});

// The duel may come after its hands; from then on the marks follow its pictures.
const begin = () => {
  if (!duel()) return requestAnimationFrame(begin);
  root().addEventListener('duel:filled', changed);
  root().addEventListener('duel:filled', tellWho);
  root().addEventListener('duel:told', heard);
  document.addEventListener('engine:told', tellWho);
  changed();
  tellWho();
};
begin();
