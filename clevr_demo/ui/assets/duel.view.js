// Building and filling the parts of the page. Nodes are made once a request and then only filled, so nothing jumps.
function make(tag, className, parent, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  parent?.append(node);
  return node;
}

function drawing(name, parent) {
  const [colour, form] = name.split(' ');
  const svg = shape('svg', { class: `object colour-${colour}`, 'aria-hidden': 'true' }, parent);
  shape('use', { href: `#object-${form}` }, svg);
  return svg;
}

function chip(name, parent) {
  const node = make('li', 'chip', parent);
  drawing(name, node);
  const words = make('span', 'chip-words', node);
  make('span', 'chip-name', words, name);
  make('span', 'chip-since', words);
  make('span', 'chip-share', node);
  make('span', 'chip-mark', node);
  return node;
}

// The verdict's skeleton for a request: score line, chips, extra objects, curve.
function buildVerdict(root, run, names, model) {
  root.replaceChildren();
  const head = make('div', 'score', root);
  make('span', 'accuracy', head);
  make('span', 'accuracy-word', head, 'accuracy');
  make('span', 'exact', head);
  make('span', 'cost', head);
  make('p', 'mean', root);
  const chips = make('ul', 'chips', root);
  chips.setAttribute('aria-label', 'Requested objects');
  for (const object of run.objects) chip(names[object], chips).dataset.object = object;
  make('p', 'extra', root);
  const figure = make('figure', 'curve', root);
  const box = { viewBox: `0 0 ${CHART.width} ${CHART.height}`, preserveAspectRatio: 'none', role: 'img' };
  shape('svg', { ...box, 'aria-label': `${TITLES[model]}: probability of each requested object by step` }, figure);
  const by = model === 'ddpm' ? 'denoising step' : 'step of the latent path';
  make('figcaption', '', figure, `Probability of each object (lines) and accuracy (area), by ${by}`);
}

function fillChips(root, frame, frames, run, names) {
  for (const node of root.querySelectorAll('.chip')) {
    const object = Number(node.dataset.object);
    const seen = Boolean(frame) && frame.seen.includes(object);
    const first = frames.length > 1 && firstSeen(frames, object);
    node.classList.toggle('seen', seen);
    node.classList.toggle('missed', Boolean(frame) && !seen);
    node.querySelector('.chip-share').textContent = frame ? percent(frame.p[object] / 1000) : '';
    node.querySelector('.chip-mark').textContent = frame ? (seen ? 'seen' : 'missed') : '';
    node.querySelector('.chip-since').textContent = first ? `from step ${first.step} of ${run.steps}` : '';
  }
}

function fillVerdict(root, side, step, run, names) {
  const frames = timeline(side);
  const frame = frames.length ? frameAt(frames, step) : null;
  const found = frame && score(frame, run.objects);
  root.querySelector('.accuracy').textContent = found ? percent(found.accuracy) : '\u2013';
  const exact = root.querySelector('.exact');
  exact.textContent = found ? (found.exact ? 'exact match' : 'no exact match') : '';
  exact.classList.toggle('yes', Boolean(found?.exact));
  const known = side && side.evaluations;
  root.querySelector('.cost').textContent = known ? `${seconds(side.seconds)} \u00B7 ${passes(side.evaluations)}` : '';
  fillChips(root, frame, frames, run, names);
  const extra = root.querySelector('.extra');
  const told = found ? found.extra.map((object) => `${names[object]} ${percent(frame.p[object] / 1000)}`) : [];
  if (told.length > 4) told.splice(3, Infinity, `and ${told.length - 3} more`);
  extra.textContent = told.length ? `Extra: ${told.join(', ')}` : found ? 'No extra objects' : '\u00A0';
  extra.classList.toggle('some', told.length > 0);
}

function fillMean(root, run, model) {
  const mean = run.total > 1 && meanScore(run.pairs, model, run.objects);
  root.querySelector('.mean').textContent = mean
    ? `Mean of ${mean.count}: accuracy ${percent(mean.accuracy)}, exact match ${mean.exact} of ${mean.count}`
    : '';
}

function describe(frame, run, names, model) {
  const asked = listed(run.objects.map((object) => names[object]));
  return `${TITLES[model]}, step ${frame.step} of ${run.steps}, asked for ${asked}`;
}

function fillPicture(stage, frame, run, names, model, view) {
  const picture = stage.querySelector('.picture');
  picture.hidden = !frame;
  stage.querySelector('.hint').hidden = Boolean(frame);
  if (!frame) return;
  const wanted = source((view === 'xt' && frame.xt) || frame.x0);
  if (picture.getAttribute('src') !== wanted) picture.src = wanted;
  picture.alt = describe(frame, run, names, model);
}

// One small picture a seed; the chosen one stands large above.
function fillTiles(stage, run, model, chosen, choose) {
  const tiles = stage.querySelector('.tiles');
  tiles.hidden = run.total < 2;
  while (tiles.children.length > (run.total < 2 ? 0 : run.total)) tiles.lastChild.remove();
  while (run.total > 1 && tiles.children.length < run.total) {
    const button = make('button', 'tile', tiles);
    button.type = 'button';
    make('img', '', button).alt = '';
    make('span', 'tile-mark', button);
    const number = tiles.children.length - 1;
    button.addEventListener('click', () => choose(number));
  }
  [...tiles.children].forEach((button, number) => {
    const pair = run.pairs[number];
    const frame = pair && newest(pair[model]);
    button.disabled = !frame;
    button.setAttribute('aria-pressed', String(number === chosen));
    const seed = pair ? pair.seed : run.seed + number;
    const told = frame ? `, accuracy ${percent(frame.hits / run.objects.length)}${frame.exact ? ', exact match' : ''}` : '';
    button.setAttribute('aria-label', `${TITLES[model]}, seed ${seed}${told}`);
    const picture = button.querySelector('img');
    if (frame) {
      const wanted = source(frame.x0);
      if (picture.getAttribute('src') !== wanted) picture.src = wanted;
    }
    picture.hidden = !frame;
    const mark = button.querySelector('.tile-mark');
    mark.textContent = frame ? percent(frame.hits / run.objects.length) : '';
    mark.classList.toggle('yes', Boolean(frame?.exact));
  });
}
