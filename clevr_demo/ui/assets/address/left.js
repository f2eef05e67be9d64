// A page that is left keeps what stands in its controls and what it was drawing, for a reload of this tab: Gradio makes
// one by itself when it finds the server again. What it calls events are dead by then, so this reads the page.
const LEFT = 'clevr-duel.left';
const field = (id) => document.querySelector(`#${id} input`)?.value;
const shownRun = () => document.querySelector('#duel .duel')?.dataset.run ?? '';
let pressedAt = null; // the run that was shown when Generate was pressed

function standing() {
  const ticked = [...document.querySelectorAll('#picker input:checked')].map((box) => box.value.replaceAll(' ', '-'));
  const [, , , sampler, , duel, given] = globalThis.clevrAsked ?? [];
  const values = { objects: ticked.join(), seed: field('seed'), steps: field('steps'), pictures: field('pictures'), sampler, duel };
  return String(new URLSearchParams([...Object.entries(values).filter(([, value]) => value), ...new URLSearchParams(given)]));
}

function underWay() {
  const run = document.querySelector('#duel .duel')?.duel?.run();
  if (document.getElementById('stop')?.offsetParent) return run?.state === 'drawing' ? run.query : standing();
  const unanswered = pressedAt === shownRun() && !document.querySelector('#ask .note-body.fault p');
  return unanswered ? standing() : '';
}

document.addEventListener('click', (event) => {
  if (event.target.closest('#generate')) pressedAt = shownRun();
  if (event.target.closest('#stop')) pressedAt = null;
});
window.addEventListener('pagehide', () => storage.session.set(LEFT, `${standing()}\n${underWay()}`));
