// Dice: one a source of noise, below the picture of the model that draws from it. What a die shows is its seed.
const PIPS = { tl: [7, 7], tr: [17, 7], ml: [7, 12], mr: [17, 12], bl: [7, 17], br: [17, 17], c: [12, 12] };
const FACES = [['c'], ['tl', 'br'], ['tl', 'c', 'br'], ['tl', 'tr', 'bl', 'br'], ['tl', 'tr', 'c', 'bl', 'br'], ['tl', 'tr', 'ml', 'mr', 'bl', 'br']];

// A link's seed of a source of noise: its own or, where it has none, that of all, which counts up from picture to picture.
function seedOf(query, source, picture) {
  const fields = new URLSearchParams(query);
  const own = fields.get(`seed-${source}`);
  return { seed: own ?? String(Number(fields.get('seed')) + picture), own: own !== null };
}

function makeDie({ name, title, owns }, parent) {
  const place = make('span', 'die-place', parent);
  place.dataset.source = name;
  const die = make('button', 'die', place);
  Object.assign(die, { type: 'button', title: `Roll it. It owns ${owns}` });
  die.dataset.roll = name;
  shape('svg', { viewBox: '0 0 24 24', 'aria-hidden': 'true' }, die);
  const words = make('span', 'die-words', die);
  make('span', 'die-name', words, title);
  make('span', 'die-seed', words);
  const back = make('button', 'die-back', place, '\u00d7');
  Object.assign(back, { type: 'button', title: "Back to the request's own seed", hidden: true });
  back.setAttribute('aria-label', `${title}: back to the request's own seed`);
  back.dataset.unroll = name;
}

function makeDice(place, { title, sources }) {
  place.replaceChildren();
  place.setAttribute('aria-label', `Sources of the ${title}'s noise`);
  for (const source of sources) makeDie(source, place);
}

function fillDice(place, query, picture) {
  for (const one of place.children) {
    const { seed, own } = seedOf(query, one.dataset.source, picture);
    one.classList.toggle('own', own);
    const back = one.querySelector('.die-back');
    if (!own && document.activeElement === back) one.querySelector('.die').focus(); // before it goes
    back.hidden = !own;
    one.querySelector('.die-seed').textContent = `seed ${seed}`;
    const svg = one.querySelector('svg');
    svg.replaceChildren();
    shape('rect', { x: 2, y: 2, width: 20, height: 20, rx: 4 }, svg);
    for (const pip of FACES[Math.abs(Math.trunc(Number(seed))) % 6] ?? FACES[0]) shape('circle', { cx: PIPS[pip][0], cy: PIPS[pip][1], r: 2.1 }, svg);
  }
}
