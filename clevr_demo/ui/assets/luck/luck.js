// Many seeds of one request: a bar with its interval and a strip of pictures, failures first, for either model.
const root = element.querySelector('.luck');
const strips = root.querySelector('.luck-sides');
let key = '';
let lanes = [];

function make(tag, className, parent) {
  const node = document.createElement(tag);
  node.className = className;
  parent?.append(node);
  return node;
}

function laneOf(side, place) {
  const lane = make('section', `luck-side side-${place}`, strips);
  const told = make('p', 'luck-told', lane);
  const span = make('span', 'span', lane);
  span.setAttribute('aria-hidden', 'true');
  const strip = make('div', 'luck-strip', lane);
  strip.setAttribute('role', 'group');
  strip.setAttribute('aria-label', `${side.title}'s pictures, failures first`);
  return { told, span, strip, shown: 0, right: null };
}

// Failures come before the first picture that is right.
function add(lane, side, picture, value) {
  const link = make('a', picture.exact ? 'yes' : 'no');
  link.href = `?${value.link.replace('@', picture.seed)}`;
  link.target = '_blank';
  const image = make('img', '', link);
  image.src = `data:image/webp;base64,${picture.x0}`;
  image.alt = `${side.title}, seed ${picture.seed}. ${picture.told}`;
  link.title = `Seed ${picture.seed}: ${picture.told}. Opens this duel in a new tab.`;
  lane.strip.insertBefore(link, picture.exact ? null : lane.right);
  if (picture.exact) lane.right ??= link;
}

function fill(lane, side, value) {
  for (const picture of side.pictures.slice(lane.shown)) add(lane, side, picture, value);
  lane.shown = side.pictures.length;
  const percent = (share) => (100 * share).toFixed(0);
  const share = side.share;
  lane.told.textContent = share
    ? `${side.title}: ${side.hits} of ${lane.shown} exact, ${percent(share.mean)} % (95 %: ${percent(share.low)} to ${percent(share.high)})`
    : `${side.title}: none drawn yet`;
  lane.span.hidden = !share;
  for (const part of ['low', 'high', 'mean']) lane.span.style.setProperty(`--${part}`, share?.[part] ?? 0);
}

function show() {
  const value = props.value ?? {};
  root.querySelector('.luck-status').textContent = value.status ?? '';
  if (!value.sides) return; // in the line: what was shown stays
  if (value.key !== key) {
    key = value.key;
    strips.replaceChildren();
    lanes = value.sides.map(laneOf);
  }
  if (value.drawn < lanes.reduce((sum, lane) => sum + lane.shown, 0)) { // the same once more
    strips.replaceChildren();
    lanes = value.sides.map(laneOf);
  }
  value.sides.forEach((side, place) => fill(lanes[place], side, value));
  root.dataset.state = value.state;
  const progress = root.querySelector('.luck-progress');
  progress.hidden = value.state !== 'drawing';
  progress.max = value.total;
  progress.value = value.drawn;
  root.querySelector('.luck-said').textContent = value.said;
  root.querySelector('.luck-notice').textContent = value.notice;
}

watch('value', show);
show();
