// The page without a server: its controls, what is drawn when, links, and pictures to keep.
import { MAX_SEED, OBJECTS } from './engine/@scripts/constants.js';
import { fromQuery, readQuery } from './engine/@scripts/request.js';

const { lessons, picker, hands, duel } = components;
const by = (id) => document.getElementById(id);
const number = (id) => document.querySelector(`#${id} input`);
const live = document.querySelector('#live input');
const kept = @kept;
const copy = @copy;
const sheet = @sheet;
const told = @asked;
let given = '';

const values = () => [picker.props.value ?? [], Number(number('seed').value), Number(number('steps').value), 'dpm', 1, '', given];
const run = () => duel.element.querySelector('.duel').duel.run();

function note(lines) {
  by('note-link').firstElementChild.replaceChildren(...lines.map((line) => Object.assign(document.createElement('p'), { textContent: line })));
}

function changed() {
  [given] = kept(picker.props.value, given);
  told(...values());
}

function put([objects, seed, steps, , , , places]) {
  picker.props.value = objects;
  [number('seed').value, number('steps').value] = [seed, steps];
  given = places;
  changed();
}

// What hinders a request from being drawn here.
function hindrance([objects, seed, steps]) {
  const { min, max } = number('steps');
  if (!objects.length) return 'Tick at least one object, then press Generate.';
  if (!Number.isInteger(seed) || seed < 0 || seed > MAX_SEED) return `Seed must be a whole number from 0 to ${MAX_SEED}.`;
  if (!Number.isInteger(steps) || steps < min || steps > max) return `Here steps are ${min} to ${max}.`;
  return '';
}

// Draws what stands in the controls, below notes on it; the engine is got first.
async function draw(notes = []) {
  const wanted = values();
  const hinders = hindrance(wanted);
  note([...notes, ...(hinders ? [hinders] : [])]);
  if (hinders) return;
  const fields = new URLSearchParams({ steps: wanted[2], sampler: wanted[3] });
  await clevrEngine.want(String(fields), false);
  if (clevrEngine.can(String(fields), false)) clevrTakes('press', [true, ...wanted]);
  else note([...notes, `This browser does not draw: ${clevrEngine.state.reason || 'more of its painters could not be got'}`]);
}

// What this page leaves out of what a link asks for.
function leftOut({ sampler, pictures }) {
  const found = [];
  if (sampler !== 'dpm') found.push(`The link asks for the sampler ${sampler}; here dpm alone draws, so the DDPM's picture is another one.`);
  if (pictures > 1) found.push(`The link asks for ${pictures} pictures; here the first one is drawn.`);
  return found;
}

// What an address asks for, with the notes that the app has for what is wrong with it.
async function open(search = location.search) {
  const query = readQuery(search);
  if (!query.has('objects')) return;
  const { models } = await (await fetch('engine/manifest.json')).json();
  const { request, notes, weights } = fromQuery(query, Object.keys(models));
  const other = Object.entries(weights).filter(([name, mark]) => models[name].fingerprint !== mark);
  const seeds = request.seeds.map(([source, seed]) => [`seed-${source}`, seed]);
  const at = request.places.map(([object, row, column]) => `${OBJECTS[object].replace(' ', '-')}:${row}:${column}`).join();
  put([request.objects.map((object) => OBJECTS[object]), request.seed, request.steps, '', 1, '', String(new URLSearchParams([...(at ? [['at', at]] : []), ...seeds]))]);
  const said = other.map(([name, mark]) => `Made with other ${models[name].title} weights (${mark}, here ${models[name].fingerprint}): its ${models[name].title} picture may look different.`);
  const lines = [...notes, ...said, ...leftOut(request)];
  if (request.objects.length) await draw(lines);
  else note(lines);
}

function download(place) {
  const { pairs: [pair], query, seed } = run();
  const [name, side] = Object.entries(pair).filter(([key]) => key !== 'seed')[place];
  const objects = new URLSearchParams(query).get('objects').split(',').slice(0, 4);
  const link = document.createElement('a');
  Object.assign(link, { href: `data:image/png;base64,${side.last.x0}`, download: `${objects.join('_')}_seed${seed}_${name}.png` });
  link.click();
}

picker.element.addEventListener('component:value', () => {
  changed();
  if (live.checked) draw();
});
hands.on('select', () => {
  const { values: wanted, draw: wished } = hands.props.value;
  const before = live.checked;
  live.checked = false; // the change of the picker is no click of the visitor's
  put(wanted);
  live.checked = before;
  if (wished) draw();
});
for (const id of ['seed', 'steps']) {
  number(id).addEventListener('change', () => {
    changed();
    if (live.checked) draw();
  });
}
lessons.on('select', () => open(`?${lessons.props.value}`));
by('generate').addEventListener('click', () => {
  by('studio').classList.remove('sheet-open');
  draw();
});
by('dice').addEventListener('click', () => {
  number('seed').value = Math.floor(Math.random() * 2 ** 31);
  changed();
  if (live.checked) draw();
});
by('surprise').addEventListener('click', () => {
  [picker.props.value] = (@surprise)();
  if (!live.checked) draw();
});
by('clear').addEventListener('click', () => {
  given = '';
  picker.props.value = [];
});
by('sheet').addEventListener('click', () => sheet());
by('copy-link').addEventListener('click', async () => {
  by('copy-link').textContent = await copy();
  setTimeout(() => (by('copy-link').textContent = 'Copy link'), 2000);
});
for (const button of document.querySelectorAll('[data-get]')) button.addEventListener('click', () => download(Number(button.dataset.get)));
document.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) draw();
});
window.addEventListener('popstate', () => open());
told(...values());
open();
