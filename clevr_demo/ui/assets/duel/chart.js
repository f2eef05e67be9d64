// The chart that is the scrubber: how sure the detector is of each object by step, ticks where it is found for good, and a cursor.
const SVG = 'http://www.w3.org/2000/svg';
const CHART = { width: 1000, height: 100 };
const MOST_ROWS = 3; // of labels above the curves
const DASHES = { cube: 'none', sphere: '1 5', cylinder: '8 5' };

function shape(tag, attributes, parent) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  parent?.append(node);
  return node;
}

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

const up = (share) => 3 + (1 - share) * (CHART.height - 6);

function curve(frames, where, steps, height) {
  return frames
    .map((frame, i) => {
      const x = CHART.width * axisOf(positionOf(frame, where), where, steps);
      return `${i ? 'L' : 'M'}${x.toFixed(1)} ${up(height(frame)).toFixed(1)}`;
    })
    .join('');
}

function drawCurves(svg, frames, where, run, names) {
  svg.replaceChildren();
  const start = CHART.width * axisOf(where, where, run.steps);
  for (const share of [0, 0.5, 1]) {
    shape('line', { class: 'rule', x1: start, x2: CHART.width, y1: up(share), y2: up(share) }, svg);
  }
  if (where) shape('rect', { class: 'where', x: 0, y: 0, width: start - 0.01 * CHART.width, height: CHART.height }, svg);
  const judged = frames.filter(isJudged);
  run.objects.forEach((object) => {
    const [colour, form] = names[object].split(' ');
    const line = curve(judged, where, run.steps, (frame) => sureOf(sightings(frame, object)));
    shape('path', { class: 'halo', d: line }, svg);
    shape('path', { class: `line colour-${colour}`, d: line, 'stroke-dasharray': DASHES[form] }, svg);
  });
}

// Labels lie in as few rows as they fit into without touching; `width` is a label's width as a share of the axis.
function rowsOf(labels, width) {
  const ends = [];
  return [...labels]
    .sort((a, b) => a.at - b.at)
    .map((label) => {
      const left = Math.min(label.at, 1 - width);
      let row = ends.findIndex((end) => end <= left);
      if (row < 0) row = ends.length;
      ends[row] = left + width;
      return { ...label, row, left };
    });
}

// Above the curves: where each object is found for good, by name.
function drawTicks(place, side, where, run, names) {
  const labels = (side?.since ?? [])
    .map((step, i) => ({ step, object: run.objects[i] }))
    .filter(({ step }) => step)
    .map((label) => ({ ...label, at: axisOf(where + label.step - 1, where, run.steps) }));
  const width = Math.min(0.5, 150 / Math.max(300, place.clientWidth));
  const placed = rowsOf(labels, width);
  place.replaceChildren();
  const rows = Math.min(run.objects.length, MOST_ROWS); // room from the start, so that nothing jumps
  place.style.setProperty('--rows', rows);
  for (const { step, object, at, row, left } of placed) {
    const tick = make('span', 'tick', place);
    tick.style.setProperty('--at', at);
    tick.style.setProperty('--row', Math.min(row, rows));
    if (row >= rows) continue; // no room for its name, which the chips below tell as well
    const label = make('span', 'tick-label', place);
    label.style.setProperty('--left', left);
    label.style.setProperty('--row', row);
    drawing(names[object], label);
    make('span', '', label, names[object]);
    label.title = `${names[object]}: found from step ${step} of ${run.steps} on`;
  }
}

// Below the curves: the numbers of the steps.
function drawAxis(place, where, steps) {
  place.replaceChildren();
  if (where) make('span', 'axis-where', place, 'where').style.setProperty('--at', 0);
  for (const step of axisSteps(steps)) {
    const number = make('span', 'axis-step', place, String(step));
    number.style.setProperty('--at', axisOf(where + step - 1, where, steps));
  }
}
