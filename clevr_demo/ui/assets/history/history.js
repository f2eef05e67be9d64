// The last results as buttons, a pair of pictures each. Choosing one hands it over as the component's value.
const list = element.querySelector('.history');
const chosen = { key: '' };

function picture(side, parent) {
  const image = document.createElement('img');
  image.src = `data:image/png;base64,${side.last.x0}`;
  image.alt = '';
  parent.append(image);
}

function entry(run) {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'history-entry';
  button.title = inWords(run);
  button.setAttribute('aria-label', inWords(run));
  button.setAttribute('aria-pressed', String(run.key === chosen.key));
  for (const [, side] of sidesOf(run.pairs[0])) picture(side, button);
  button.addEventListener('click', () => {
    chosen.key = run.key;
    for (const other of list.children) other.setAttribute('aria-pressed', String(other === button));
    props.value = { run: { ...run, key: `${run.key}-past` }, query: run.query, words: inWords(run) };
    trigger('select');
  });
  return button;
}

function show() {
  const runs = recalled(storage.get(HISTORY_KEY));
  list.replaceChildren(...runs.map(entry));
  list.classList.toggle('none', !runs.length);
  element.querySelector('.history-none').hidden = Boolean(runs.length);
  element.querySelector('.history-forget').hidden = !runs.length;
}

element.querySelector('.history-forget').addEventListener('click', () => {
  storage.remove(HISTORY_KEY);
  chosen.key = '';
  show();
  props.value = {};
  trigger('select');
});
document.addEventListener('duel:drawn', show);
window.addEventListener('storage', show); // another tab drew something
show();
