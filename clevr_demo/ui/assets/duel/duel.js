// The duel's state and its controls. `props.value` is a run as it grows; nothing here ever asks the server.
const root = element.querySelector('.duel');
const find = (selector) => root.querySelector(selector);
const USUAL = props.contenders.slice(0, 2);
const stageOf = (model) => find(`.stage[data-model="${model}"]`);
const verdictOf = (model) => find(`.verdict[data-model="${model}"]`);
const scrub = find('.scrub');
const playButton = find('[data-go="play"]');
const looks = { rings: true, places: Boolean(props.address), pixels: false, wipe: false };
// `filled` is what stands in the pictures: a run, and each model's frame. `accepts` says which run may be shown while
// pictures of objects that are moved by hand stand there; null while none do.
const state = { run: null, key: '', chosen: 0, position: 0, following: true, timer: 0, filled: { run: null, pair: null, frames: {} }, accepts: null };

const current = () => state.run?.pairs[state.chosen];
// Who draws what is shown, left and right; the timeline is that of the first who has steps.
const contenders = () => state.run?.contenders?.map((name) => props.contenders.find((one) => one.name === name)) ?? USUAL;
const models = () => contenders().map((one) => one.name);
const lead = () => contenders().find((one) => one.steps) ?? contenders()[0];
const other = () => contenders().find((one) => one !== lead());
const leading = () => current()?.[lead().name];
const frames = () => timeline(leading());
const where = () => whereCount(frames());
// How far the timeline can be scrubbed, and how far it will go.
const drawn = () => (frames().length ? positionOf(newest(leading()), where()) : -1);
const end = () => where() + (state.run?.steps ?? 1) - 1;

const wondered = (title) => `What is ${/^[AEIO]/.test(title) ? 'an' : 'a'} ${title}?`;

// Writes the contenders' names where they stand.
function seat() {
  contenders().forEach(({ name, title, costs, steps, sources, card }, place) => {
    const side = ['left', 'right'][place];
    const [stage, verdict, lane] = ['stage', 'verdict', 'lane'].map((part) => find(`.${part}[data-side="${side}"]`));
    for (const part of [stage, verdict, lane]) part.dataset.model = name;
    stage.querySelector('.who strong').textContent = title;
    stage.querySelector('.how').textContent = costs;
    const wonder = stage.querySelector('.word-mark');
    Object.assign(wonder, { hidden: !card, title: wondered(title), ariaLabel: wondered(title) });
    wonder.dataset.card = card;
    stage.querySelector('.hint').textContent = steps ? 'Its picture forms here' : 'Its picture appears here';
    stage.querySelector('.tiles').setAttribute('aria-label', `${title} pictures`);
    const dice = stage.querySelector('.dice');
    if (props.address && dice.dataset.of !== name) makeDice(dice, { title, sources });
    dice.dataset.of = name;
    verdict.querySelector('h3').textContent = title;
    verdict.setAttribute('aria-label', `Verdict on the ${title}`);
    lane.querySelector('.lane-name').textContent = title;
  });
  if (props.address && props.contenders.length > 2) [...root.querySelectorAll('.who-name')].forEach(offer);
  const { title } = lead();
  find('.player').setAttribute('aria-label', `Timeline of the ${title}`);
  find('.curves').setAttribute('aria-label', `${title}: how sure the detector is of each requested object by denoising step`);
  find('.chart-about span').textContent = `How sure the detector is of the ${title}'s guess, step by step`;
  find('.ends-title').textContent = other()?.title ?? '';
  wipeTo(divider.value / 100);
}

// Lets another contender take a seat; the choice lies unseen over the name of the one who has it.
function offer(place, seat) {
  const pick = place.querySelector('select') ?? make('select', 'who-pick', place);
  pick.dataset.seat = seat;
  pick.setAttribute('aria-label', `Who draws ${seat ? 'right' : 'left'}`);
  pick.replaceChildren();
  for (const { name, title } of props.contenders) make('option', '', pick, title).value = name;
  pick.value = models()[seat];
}

function begin(run, held) {
  seat();
  state.key = run.key;
  Object.assign(state, { chosen: held && state.chosen < run.total ? state.chosen : 0, position: 0, following: true });
  pause();
  root.classList.remove('stale');
  // A result without its timeline, as the history keeps it, has nothing to scrub.
  root.classList.toggle('still', run.state === 'done' && run.pairs.every((pair) => !pair[lead().name].frames.length) && run.steps > 1);
}

// Whether the one with a timeline has just begun to place: the first half of that.
function atStart({ pair, frames }) {
  const frame = frames[lead().name];
  return frame?.stage === 'where' && frame.step <= whereCount(timeline(pair?.[lead().name])) / 2;
}

// A frame of a run in its model's place.
function fillSide(model, side, frame, run) {
  fillPicture(stageOf(model), timeline(side), frame, run, props.names, model);
  fillNoise(stageOf(model), timeline(side), frame);
  fillCaption(stageOf(model), frame);
  // Where they can be taken, marks of their own stand at the places; while the one chooses, the other shows its own.
  const choosing = Object.values(state.filled.frames).some((one) => one?.stage === 'where');
  drawMarks(stageOf(model), frame, run, props.names, { rings: looks.rings, places: choosing || (looks.places && !props.address), frames: timeline(side) });
  const waits = lead().name !== model && atStart(state.filled);
  fillStart(stageOf(model), waits && contenders().find((one) => one.name === model).noise, run, frame, state.chosen, props.names);
  fillChips(verdictOf(model).querySelector('.chips'), frame, run, props.names);
  fillScores(verdictOf(model), frame, run);
}

function fill(run, pair, frames) {
  state.filled = { run, pair, frames };
  for (const model of models()) fillSide(model, pair?.[model], frames[model], run);
  root.dispatchEvent(new CustomEvent('duel:filled', { bubbles: true }));
}

const framesOf = (frameOf) => Object.fromEntries(contenders().map((one) => [one.name, frameOf(one)]));

// Everything that depends on the position alone.
function fillPosition() {
  const run = state.run;
  if (!run) return;
  const first = where();
  const frames = framesOf(({ name: model, steps }) => {
    const side = current()?.[model];
    const all = timeline(side);
    const own = model === lead().name ? frameAt : frameAlong;
    return !all.length ? null : steps ? own(all, state.position, first, run.steps) : newest(side);
  });
  fill(run, current(), frames);
  scrub.value = state.position + 1;
  const text = named(state.position, first, run.steps);
  find('.step-text').textContent = text;
  root.dataset.step = Math.max(0, state.position - first + 1);
  scrub.setAttribute('aria-valuetext', text);
  find('.plot').style.setProperty('--at', axisOf(state.position, first, run.steps));
}

// Sentences of a run that shows nothing itself, as one that waits: what was drawn before stays.
function tell(run) {
  const told = find('.duel-summary');
  told.setAttribute('aria-live', run.state === 'drawing' ? 'off' : 'polite'); // not every step is read out
  // One picture's verdicts stand above the pictures already: here they are for those who listen.
  const spoken = run.state === 'done' && run.total === 1;
  told.querySelector('.seen').textContent = spoken ? `Seed ${run.seed}, ${many(run.steps, 'step')}, 64x64 as trained` : (run.status ?? '');
  told.querySelector('.unseen').textContent = spoken ? run.status : '';
  root.dataset.state = run.state;
  root.dispatchEvent(new CustomEvent('duel:told', { detail: run }));
}

function show() {
  const run = props.value?.state ? props.value : null;
  const example = run?.state === 'showcase';
  if (example && new URLSearchParams(location.search.toLowerCase()).has('objects')) return; // the address asks for another one
  if (run && (!state.accepts || state.accepts(run) || run.state !== 'done')) tell(run);
  if (state.accepts && !state.accepts(run)) return;
  const held = Boolean(state.accepts);
  hold(null);
  if (run && !run.pairs?.length) return;
  root.classList.toggle('empty', !run);
  state.run = run;
  if (!run) {
    for (const model of models()) fillPicture(stageOf(model), [], null);
    return;
  }
  const fresh = run.key !== state.key;
  if (fresh) begin(run, held);
  if (run.state === 'drawing' && state.following) state.chosen = Math.max(0, run.pairs.length - 1);
  scrub.max = end() + 1;
  if (state.following) state.position = Math.max(0, drawn());
  root.classList.toggle('drawing', run.state === 'drawing');
  root.dataset.run = run.key;
  root.dataset.query = run.query;
  scrub.disabled = drawn() < 0;
  if (props.address && run.state === 'done') keep(run);
  drawChart(run);
  drawRace(find('.race'), current(), contenders());
  for (const model of models()) {
    fillMean(verdictOf(model), run, model);
    fillTiles(stageOf(model), run, model, state.chosen, choose);
  }
  fillPosition();
  if (fresh && example && !matchMedia('(prefers-reduced-motion: reduce)').matches) play(); // once, from noise to scene
}

function drawChart(run) {
  drawCurves(find('.curves'), frames(), where(), run, props.names);
  drawPoints(find('.points'), leading(), frames(), where(), run, props.names);
  drawEnds(find('.ends'), newest(current()[other().name]), other().title, run, props.names);
  drawAxis(find('.axis'), where(), run.steps);
  drawLegend(find('.legend'), run, props.names);
  const told = conclusionOf(leading(), run, props.names) || 'When is each object recognised?';
  Object.assign(find('.conclusion'), { textContent: told, title: told });
}

// Pictures of a scene that is moved by hand, in place of the run's own; the timeline stays as it is, out of reach.
function preview(run) {
  fill(run, run.pairs[0], framesOf(({ name }) => newest(run.pairs[0][name])));
}

// A run that the server knows nothing of.
function put(run) {
  props.value = run;
  show();
}

// What stands in the pictures once more, after another way to look at it was chosen.
function redraw() {
  const { run, pair, frames } = state.filled;
  if (run) fill(run, pair, frames);
}

// From now on only runs that are accepted are shown; null accepts all.
function hold(accepts) {
  if (accepts) pause();
  state.accepts = accepts;
  root.classList.toggle('held', Boolean(accepts));
}

// The pictures dim while they show something else than what stands in the controls.
document.addEventListener('duel:asked', ({ detail: values }) => {
  // Nothing ticked is nothing asked for yet: the example that greets a visitor stays bright.
  const coming = state.accepts?.({ state: 'done', query: queryOf(values) }); // what was settled by hand is being drawn
  const other = props.address && state.run && values[0]?.length && !coming && !asksFor(state.run.query, values);
  root.classList.toggle('stale', Boolean(other) && state.run.state !== 'drawing');
});

// A finished run goes into the address, so that a reload draws it again, and into the history.
function keep(run) {
  remember(storage, run);
  const kept = [...new URLSearchParams(location.search)].filter(([name]) => name.startsWith('__')); // Gradio's own
  const more = kept.map(([name, value]) => `&${name}=${encodeURIComponent(value)}`).join('');
  const address = `${location.pathname}?${run.query}${more}`;
  const before = new URLSearchParams(location.search);
  const live = document.querySelector('#live input')?.checked; // a click after the other: one entry for all
  // Back goes to the request before; a first one, or the same again, adds no entry.
  const another = before.has('objects') && !live && address !== location.pathname + location.search;
  window.history[another ? 'pushState' : 'replaceState'](window.history.state, '', address);
  document.dispatchEvent(new CustomEvent('duel:drawn', { detail: run }));
}

function choose(number) {
  state.chosen = number;
  state.following = state.run.state === 'drawing' && number === state.run.pairs.length - 1;
  state.position = state.run.state === 'drawing' ? Math.max(0, Math.min(state.position, drawn())) : drawn();
  show();
}

function goTo(position) {
  if (!state.run || drawn() < 0 || state.accepts) return;
  state.position = Math.max(0, Math.min(position, drawn()));
  state.following = state.run.state === 'drawing' && state.position === drawn();
  fillPosition();
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
  if (drawn() < 0 || state.accepts) return;
  if (state.position >= drawn()) goTo(0);
  label('Pause');
  // About four seconds for the whole way, whatever the number of steps.
  const stride = Math.max(1, Math.round(end() / 40));
  state.timer = setInterval(() => {
    goTo(state.position + stride);
    if (state.position >= drawn() && state.run.state !== 'drawing') pause();
  }, Math.max(70, 4000 / Math.max(1, end())));
}

const moves = {
  start: () => goTo(0),
  back: () => goTo(state.position - 1),
  on: () => goTo(state.position + 1),
  end: () => goTo(end()),
  play: () => (state.timer ? pause() : play()),
};

root.addEventListener('click', (event) => {
  const mark = event.target.closest('.marks [data-name]');
  if (mark) nameMark(mark.closest('.stage'), mark);
  const button = event.target.closest('button');
  if (!button) return;
  const { go, switch: look } = button.dataset;
  if (go) {
    if (go !== 'play') pause();
    moves[go]();
  }
  if (!look) return;
  looks[look] = !looks[look];
  button.setAttribute('aria-pressed', String(looks[look]));
  root.classList.toggle('pixels', looks.pixels);
  root.classList.toggle('bare', !looks.places);
  root.classList.toggle('wiping', looks.wipe);
  redraw();
});
root.addEventListener('pointermove', (event) => {
  const stage = event.target.closest('.stage');
  if (!stage || event.pointerType !== 'mouse') return;
  const under = document.elementsFromPoint(event.clientX, event.clientY); // marks that one takes lie over the rings
  nameMark(stage, under.map((one) => one.closest('.marks [data-name]')).find((mark) => mark && stage.contains(mark)));
});
root.addEventListener('pointerleave', () => models().forEach((model) => nameMark(stageOf(model), null)));

// A chip under the pointer points at its rings.
for (const kind of ['pointerover', 'pointerout']) {
  root.addEventListener(kind, (event) => {
    const chip = event.target.closest('.chip');
    if (!chip) return;
    const rings = stageOf(chip.closest('.verdict').dataset.model).querySelectorAll(`.ring[data-object="${chip.dataset.object}"]`);
    for (const one of rings) one.classList.toggle('named', kind === 'pointerover');
  });
}

scrub.addEventListener('input', () => {
  pause();
  goTo(Number(scrub.value) - 1);
});
scrub.addEventListener('keydown', (event) => {
  if (event.key !== ' ') return;
  event.preventDefault();
  moves.play();
});

// A press on the chart goes to that step, and goes on as it is dragged. The slider itself serves the keyboard.
const plot = find('.plot');
const EDGE = 8; // pixels of the plot left and right of its axis
const scrubTo = (event) => {
  const box = plot.getBoundingClientRect();
  goTo(positionAt((event.clientX - box.left - EDGE) / (box.width - 2 * EDGE), where(), state.run.steps));
};
plot.addEventListener('pointerdown', (event) => {
  if (!state.run) return;
  pause();
  plot.setPointerCapture(event.pointerId);
  scrubTo(event);
  scrub.focus({ preventScroll: true });
  event.preventDefault();
});
plot.addEventListener('pointermove', (event) => {
  if (state.run && plot.hasPointerCapture(event.pointerId)) scrubTo(event);
});

// What others on the page may do with the duel: hands, lessons, a presentation, keys.
root.duel = {
  usual: USUAL.map(({ name }) => name), play, pause, goTo, moves, looks, contenders, preview, put, hold, show, run: () => state.run, filled: () => state.filled,
  chosen: () => state.chosen, dice: (query) => root.querySelectorAll('.dice').forEach((place) => fillDice(place, query, state.chosen)),
  objects: () => state.run.objects.map((one) => props.names[one]), redraw,
};

find('[data-switch="places"]').setAttribute('aria-pressed', String(looks.places));
seat();
watch('value', show);
show();
