// The duel's state and its controls. `props.value` is a run as it grows; nothing here ever asks the server.
const root = element.querySelector('.duel');
const find = (selector) => root.querySelector(selector);
const part = (kind, model) => find(`.${kind}[data-model="${model}"]`);
const scrub = find('.scrub');
const playButton = find('[data-go="play"]');
const state = { run: null, key: '', chosen: 0, step: 1, following: true, view: 'x0', timer: 0 };

const current = () => state.run?.pairs[state.chosen];
const drawn = () => {
  const pair = current();
  return pair && newest(pair.ddpm) ? newest(pair.ddpm).step : 0;
};

function begin(run) {
  state.key = run.key;
  Object.assign(state, { chosen: 0, step: 1, following: true });
  pause();
  for (const model of MODELS) buildVerdict(part('verdict', model), run, props.names, model);
  scrub.max = run.steps;
  // A result without its timeline, as the history keeps it, has nothing to scrub.
  root.classList.toggle('still', run.state === 'done' && run.pairs.every((pair) => !pair.ddpm.frames.length) && run.steps > 1);
  const asked = run.state === 'drawing' && !document.querySelector('#live input')?.checked;
  if (props.address && asked && matchMedia('(max-width: 640px)').matches) root.scrollIntoView({ block: 'start' });
}

// Everything that depends on the step alone.
function fillStep() {
  const run = state.run;
  if (!run) return;
  for (const model of MODELS) {
    const side = current()?.[model];
    const frames = timeline(side);
    fillPicture(part('stage', model), frames.length ? frameAt(frames, state.step) : null, run, props.names, model, state.view);
    const verdict = part('verdict', model);
    fillVerdict(verdict, side, state.step, run, props.names);
    moveCursor(verdict.querySelector('.curve svg'), state.step, run.steps);
  }
  scrub.value = state.step;
  const text = `Step ${state.step} of ${run.steps}`;
  find('.step-text').textContent = text;
  scrub.setAttribute('aria-valuetext', text);
}

function show() {
  const run = props.value?.key ? props.value : null;
  root.classList.toggle('empty', !run);
  if (!run) return;
  state.run = run;
  if (run.key !== state.key) begin(run);
  if (run.state === 'drawing') state.chosen = state.following ? Math.max(0, run.pairs.length - 1) : state.chosen;
  if (state.following) state.step = drawn() || 1;
  root.classList.toggle('drawing', run.state === 'drawing');
  root.dataset.state = run.state;
  root.dataset.run = run.key;
  root.dataset.query = run.query;
  scrub.disabled = drawn() === 0;
  const told = find('.duel-summary');
  told.setAttribute('aria-live', run.state === 'drawing' ? 'off' : 'polite'); // not every step is read out
  told.textContent = summary(run);
  if (props.address && run.state === 'done') follow(run.query);
  for (const model of MODELS) {
    const verdict = part('verdict', model);
    drawChart(verdict.querySelector('.curve svg'), timeline(current()?.[model]), run, props.names);
    fillMean(verdict, run, model);
    fillTiles(part('stage', model), run, model, state.chosen, choose);
  }
  fillStep();
}

// The address follows the result, so that a reload draws it again; what Gradio keeps there stays.
function follow(query) {
  const kept = [...new URLSearchParams(location.search)].filter(([name]) => name.startsWith('__'));
  const more = kept.map(([name, value]) => `&${name}=${encodeURIComponent(value)}`).join('');
  window.history.replaceState(window.history.state, '', `${location.pathname}?${query}${more}`);
}

function choose(number) {
  state.chosen = number;
  state.following = state.run.state === 'drawing' && number === state.run.pairs.length - 1;
  state.step = Math.min(state.step, drawn()) || 1;
  if (state.run.state === 'done') state.step = state.run.steps;
  show();
}

function goTo(step) {
  if (!state.run || !drawn()) return;
  state.step = Math.max(1, Math.min(step, drawn()));
  state.following = state.run.state === 'drawing' && state.step === drawn();
  fillStep();
}

const ICONS = { Play: 'M8 5v14l11-7z', Pause: 'M7 5h4v14H7zM13 5h4v14h-4z' };

function label(name) {
  playButton.querySelector('path').setAttribute('d', ICONS[name]);
  playButton.setAttribute('aria-label', name);
  playButton.title = name;
}

function pause() {
  clearInterval(state.timer);
  state.timer = 0;
  label('Play');
}

function play() {
  if (!drawn()) return;
  if (state.step >= drawn()) goTo(1);
  label('Pause');
  // About four seconds for the whole way, whatever the number of steps.
  const stride = Math.max(1, Math.round(state.run.steps / 40));
  state.timer = setInterval(() => {
    goTo(state.step + stride);
    if (state.step >= drawn() && state.run.state !== 'drawing') pause();
  }, Math.max(70, 4000 / Math.max(1, state.run.steps)));
}

const moves = {
  start: () => goTo(1),
  back: () => goTo(state.step - 1),
  on: () => goTo(state.step + 1),
  end: () => goTo(state.run ? state.run.steps : 1),
  play: () => (state.timer ? pause() : play()),
};

root.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (!button) return;
  const { go, view, scale } = button.dataset;
  if (go) {
    if (go !== 'play') pause();
    moves[go]();
  }
  if (view || scale) {
    for (const other of button.parentElement.children) other.setAttribute('aria-pressed', String(other === button));
  }
  if (view) state.view = view;
  if (scale) root.classList.toggle('smooth', scale === 'smooth');
  if (view) fillStep();
});

scrub.addEventListener('input', () => {
  pause();
  goTo(Number(scrub.value));
});
scrub.addEventListener('keydown', (event) => {
  if (event.key !== ' ') return;
  event.preventDefault();
  moves.play();
});

// A press on a curve goes to that step.
root.addEventListener('pointerdown', (event) => {
  const svg = event.target.closest('.curve svg');
  if (!svg || !state.run) return;
  const box = svg.getBoundingClientRect();
  pause();
  goTo(Math.round(1 + ((event.clientX - box.left) / box.width) * (state.run.steps - 1)));
});

watch('value', show);
show();
