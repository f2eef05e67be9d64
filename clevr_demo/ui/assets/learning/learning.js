// One slider for both runs: curves above it, the pictures of each at its newest moment below.
const root = element.querySelector('.learning');
const body = root.querySelector('.learning-body');
const scrub = root.querySelector('.learning-scrub');
const play = root.querySelector('.learning-play');
const SVG = 'http://www.w3.org/2000/svg';
let data = null;
let stops = [];
let stop = 0; // the place of the one that is shown
let timer = 0;

function make(tag, className, parent, text) {
  const node = document.createElement(tag);
  node.className = className;
  if (text !== undefined) node.textContent = text;
  parent?.append(node);
  return node;
}

const models = () => Object.values(data.models);
const x = (seen) => alongLog(seen, stops[0], stops.at(-1));

// A small plot of curves that share its upright axis, whose ends stay as they are.
function plot(title, lines) {
  const box = make('figure', 'learning-plot', root.querySelector('.learning-curves'));
  make('figcaption', '', box, title);
  const values = lines.flatMap(({ points }) => points.map(([, value]) => value));
  const [low, high] = title === 'counted exact' ? [0, 1] : [Math.min(0, ...values), Math.max(...values)];
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 1000 100');
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('aria-hidden', 'true');
  for (const { points, place } of lines) {
    const line = document.createElementNS(SVG, 'polyline');
    line.setAttribute('class', `curve side-${place}`);
    line.setAttribute('points', points.map(([at, value]) => `${1000 * x(at)},${100 - (100 * (value - low)) / (high - low || 1)}`).join(' '));
    svg.append(line);
  }
  const frame = make('div', 'learning-frame', box);
  frame.append(svg);
  make('span', 'learning-cursor', frame);
  const axis = make('div', 'learning-axis', box);
  axis.setAttribute('aria-hidden', 'true');
  for (const power of powersOf(stops[0], stops.at(-1))) make('span', '', axis, shortOf(power)).style.setProperty('--x', x(power));
  box.told = make('p', 'learning-told', box);
  box.lines = lines;
}

function build() {
  stops = allMoments(models());
  models().forEach((one, place) => {
    for (const [title, points] of Object.entries(one.curves)) plot(`${one.title}: ${title}`, [{ points, place, title: one.title }]);
  });
  plot('counted exact', models().map((one, place) => ({ place, title: one.title, points: one.moments.map((at, i) => [at, one.shares[i].exact]) })));
  models().forEach((one, place) => {
    const side = make('section', `learning-side side-${place}`, root.querySelector('.learning-sides'));
    make('h3', '', side, one.title);
    side.told = make('p', 'learning-told', side);
    const grid = make('div', 'learning-grid', side);
    side.cells = data.requests.map((names, i) => {
      const cell = make('div', 'learning-cell', grid);
      cell.setAttribute('role', 'img');
      cell.style.backgroundImage = `url(data:image/webp;base64,${one.picture})`;
      cell.style.backgroundSize = `${100 * data.requests.length}% ${100 * one.moments.length}%`;
      cell.style.backgroundPositionX = `${(100 * i) / Math.max(1, data.requests.length - 1)}%`;
      return cell;
    });
  });
}

function go(place) {
  stop = Math.min(stops.length - 1, Math.max(0, place));
  show();
}

function show() {
  const seen = stops[stop];
  scrub.value = Math.round(1000 * x(seen));
  const words = `${seen.toLocaleString('en')} windows seen`;
  scrub.setAttribute('aria-valuetext', words);
  root.querySelector('.learning-at').textContent = words;
  root.querySelector('.learning-look').textContent = lookAt(data.looks, seen);
  for (const cursor of root.querySelectorAll('.learning-cursor')) cursor.style.setProperty('--x', x(seen));
  for (const box of root.querySelectorAll('.learning-plot')) {
    box.told.textContent = box.lines.map(({ points, title }) => `${box.lines.length > 1 ? `${title} ` : ''}${Number(valueAt(points, seen).toPrecision(3))}`).join(', ');
  }
  root.querySelectorAll('.learning-side').forEach((side, place) => {
    const one = models()[place];
    const i = momentAt(one.moments, seen);
    const { exact, accuracy } = one.shares[i];
    side.told.textContent = `${one.moments[i].toLocaleString('en')} windows: ${Math.round(100 * exact)} % exact, accuracy ${accuracy.toFixed(2)}`;
    side.cells.forEach((cell, j) => {
      cell.style.backgroundPositionY = `${(100 * i) / Math.max(1, one.moments.length - 1)}%`;
      cell.setAttribute('aria-label', `${one.title} after ${one.moments[i]} windows: ${data.requests[j].join(', ')}`);
    });
  });
}

function halt() {
  clearInterval(timer);
  timer = 0;
  play.textContent = 'Play';
}

play.addEventListener('click', () => {
  if (timer) return halt();
  play.textContent = 'Pause';
  go(stop === stops.length - 1 ? 0 : stop + 1);
  timer = setInterval(() => {
    go(stop + 1);
    if (stop === stops.length - 1) halt();
  }, 700);
});

// The slider stands where the windows do, on the same axis as the curves, and goes from stop to stop.
scrub.addEventListener('input', () => {
  halt();
  go(nearestStop(stops, scrub.value / 1000));
});
const KEYS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -4, PageUp: 4, Home: -Infinity, End: Infinity };
scrub.addEventListener('keydown', (event) => {
  if (!(event.key in KEYS)) return;
  event.preventDefault();
  halt();
  go(stop + KEYS[event.key]);
});

async function fetchAll() {
  data = await Promise.resolve(server.sheets({})).catch(() => null);
  if (!data?.models) {
    root.querySelector('.learning-wait').textContent = 'The pictures could not be had; open the page anew.';
    return;
  }
  root.querySelector('.learning-wait').hidden = true;
  body.hidden = false;
  build();
  go(stops.length - 1);
}

const sight = new IntersectionObserver((entries) => {
  if (!entries.some((one) => one.isIntersecting)) return;
  sight.disconnect();
  fetchAll();
});
sight.observe(root);
