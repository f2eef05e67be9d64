// A long line: this browser gets its engine, where that can draw what waits, and draws it instead of the server. Where the
// visitor saves data that is offered.
const LONG_WAIT = 5; // seconds
const waited = { query: '', size: 0, looked: false, leaving: false }; // what waits, and what it would take to draw it here

const isWaiting = () => root().dataset.state === 'waiting';

// In place of who drew: what the visitor may choose, or null where there is nothing to choose.
function offer() {
  if (!waited.size || engine.state.stage !== 'none') return null;
  const button = document.createElement('button');
  Object.assign(button, { type: 'button', textContent: `Draw in this browser: ${Math.round(waited.size / 1e6)} MB, once` });
  button.addEventListener('click', () => engine.want(waited.query, false));
  return ['Many wait for the server.', button];
}

async function lookFor(query) {
  waited.looked = true;
  const size = await engine.size(query);
  if (size === null || !isWaiting() || waited.query !== query) return;
  if (!navigator.connection?.saveData) return engine.want(query, false);
  waited.size = size;
  tellWho();
}

// Leaves the line, and draws here what waited; unless its turn came in that moment.
async function takeOver(query) {
  if (waited.leaving) return;
  waited.leaving = true;
  document.getElementById('stop').click();
  while (SERVER_BUSY()) await new Promise((done) => setTimeout(done, 20));
  waited.leaving = false;
  if (root().dataset.state !== 'stopped' || waited.query !== query) return;
  root().querySelector('.duel-summary .seen').textContent = 'This browser draws it now.';
  drawOwn(query, { waited: true });
}

// What the duel says of itself; while a request waits, the server says that twice a second.
function heard({ detail: { state, query, seconds } }) {
  if (state !== 'waiting') {
    Object.assign(waited, { size: 0, looked: false });
    return tellWho();
  }
  if (waited.query !== query) Object.assign(waited, { query, size: 0, looked: false });
  if (engine.can(query, false)) takeOver(query);
  else if (seconds >= LONG_WAIT && !waited.looked) lookFor(query);
}
