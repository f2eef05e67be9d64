// Building and filling the parts of the page. Nodes are made once a request and then only filled, so nothing jumps.
function chip(place, parent) {
  const node = make('li', 'chip', parent);
  node.dataset.place = place;
  make('span', 'chip-object', node);
  make('span', 'chip-name', node);
  make('span', 'chip-mark', node);
  make('span', 'chip-share', node);
  return node;
}

function fillChip(node, { object, mark, sure, ok, wanted }, names) {
  if (node.dataset.object !== String(object)) {
    node.dataset.object = object;
    const picture = node.querySelector('.chip-object');
    picture.replaceChildren();
    drawing(names[object], picture);
    node.querySelector('.chip-name').textContent = names[object];
  }
  node.classList.toggle('ok', ok);
  node.classList.toggle('bad', Boolean(mark) && !ok);
  node.classList.toggle('unwanted', !wanted);
  node.querySelector('.chip-mark').textContent = mark;
  node.querySelector('.chip-share').textContent = mark && sure ? percent(sure) : '';
}

// One chip a requested object and one for each unwanted kind.
function fillChips(list, frame, run, names) {
  const wanted = chipsOf(frame, run.objects);
  while (list.children.length > wanted.length) list.lastChild.remove();
  while (list.children.length < wanted.length) chip(list.children.length, list);
  wanted.forEach((one, place) => fillChip(list.children[place], one, names));
}

const ACCURACY_SAYS =
  'Of the objects asked for, the share among as many objects as the classifier holds most probable: the measure of the ' +
  'course. It cannot see objects that were not asked for, nor any that is there twice.';
const EXACT_SAYS =
  'Whether the detector finds every object asked for once, and nothing else. It cannot see what it does not detect, ' +
  'nor how well a picture is drawn.';

function fillScores(place, frame, run) {
  const counted = frame?.hits !== undefined; // by the classifier, which judges finished pictures alone
  place.querySelector('.more').hidden = !counted;
  const course = counted ? percent(frame.hits / run.objects.length) : '';
  place.querySelector('.accuracy').textContent = `The course's accuracy: ${course}. ${ACCURACY_SAYS}`;
  const exact = place.querySelector('.exact');
  exact.textContent = isJudged(frame) ? (frame.exact ? 'exact' : 'not exact') : '';
  exact.title = EXACT_SAYS;
}

function fillCaption(stage, frame) {
  const told = stage.querySelector('.told');
  const text = !frame ? '' : isJudged(frame) ? frame.told : 'First where: it chooses a place for each object';
  told.textContent = text;
  told.classList.toggle('good', Boolean(frame?.exact));
  told.classList.toggle('bad', isJudged(frame) && !frame.exact);
}

function fillMean(place, run, model) {
  const mean = run.total > 1 && meanScore(run.pairs, model, run.objects);
  place.querySelector('.mean').textContent = mean
    ? `All ${mean.count}: ${mean.exact} exact`
    : '';
}

const titleOf = (name) => props.contenders.find((one) => one.name === name)?.title ?? name;

function describe(frame, run, names, model) {
  const asked = listed(run.objects.map((object) => names[object]));
  const told = isJudged(frame) ? `. ${frame.told}` : '';
  return `${titleOf(model)}, asked for ${asked}${told}`;
}

function showPicture(picture, base64) {
  const wanted = source(base64);
  if (picture.getAttribute('src') !== wanted) picture.src = wanted;
}

// What a denoising model has, small, beside what it guesses: from pure noise on, at every step.
function fillNoise(stage, frames, frame) {
  const [inset, label] = [stage.querySelector('.inset'), stage.querySelector('.guess-label')];
  const noise = noisyOf(frames, frame);
  inset.hidden = !noise;
  label.hidden = !noise || frame.stage === 'where';
  if (!noise) return;
  const picture = inset.querySelector('img');
  showPicture(picture, noise);
  const waits = frame.stage === 'where';
  picture.alt = waits ? 'The pure noise that it will start from' : `The noisy picture that step ${frame.step} starts from`;
  inset.querySelector('.inset-step').textContent = waits ? ', waits' : `, step ${frame.step}`;
  label.textContent = 'hits' in frame ? 'its picture' : 'its guess';
}

function fillPicture(stage, frames, frame, run, names, model) {
  const picture = stage.querySelector('.picture');
  picture.hidden = !frame;
  stage.querySelector('.hint').hidden = Boolean(frame);
  if (!frame) return;
  showPicture(picture, pictureOf(frames, frame));
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
    button.setAttribute('aria-label', `${titleOf(model)}, seed ${seed}${isJudged(frame) ? `: ${frame.told}` : ''}`);
    const picture = button.querySelector('img');
    if (frame) showPicture(picture, pictureOf(timeline(pair[model]), frame));
    picture.hidden = !frame;
    const mark = button.querySelector('.tile-mark');
    mark.textContent = isJudged(frame) ? (frame.exact ? 'exact' : 'not exact') : '';
    mark.classList.toggle('yes', Boolean(frame?.exact));
  });
}
