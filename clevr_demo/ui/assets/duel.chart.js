// The curve below a picture: accuracy as an area, each requested object's probability as a line.
const SVG = 'http://www.w3.org/2000/svg';
const CHART = { width: 320, height: 96, left: 4, right: 4, top: 6, bottom: 6 };

function shape(tag, attributes, parent) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  parent?.append(node);
  return node;
}

function across(step, steps) {
  const room = CHART.width - CHART.left - CHART.right;
  return CHART.left + (steps > 1 ? ((step - 1) / (steps - 1)) * room : room);
}

function up(share) {
  return CHART.top + (1 - share) * (CHART.height - CHART.top - CHART.bottom);
}

function path(frames, steps, height) {
  return frames
    .map((frame, i) => `${i ? 'L' : 'M'}${across(frame.step, steps).toFixed(1)} ${up(height(frame)).toFixed(1)}`)
    .join('');
}

const DASHES = { cube: 'none', sphere: '1 5', cylinder: '8 5' };

// Draws the whole chart anew; the caller moves the cursor afterwards with moveCursor.
function drawChart(svg, frames, run, names) {
  svg.replaceChildren();
  for (const share of [0, 0.5, 1]) {
    shape('line', { class: 'rule', x1: 0, x2: CHART.width, y1: up(share), y2: up(share) }, svg);
  }
  if (frames.length) {
    const first = across(frames[0].step, run.steps).toFixed(1);
    const last = across(frames[frames.length - 1].step, run.steps).toFixed(1);
    const top = path(frames, run.steps, (frame) => frame.hits / run.objects.length);
    shape('path', { class: 'area', d: `${top}L${last} ${up(0)}L${first} ${up(0)}Z` }, svg);
  }
  for (const object of run.objects) {
    const [colour, form] = names[object].split(' ');
    const line = path(frames, run.steps, (frame) => frame.p[object] / 1000);
    shape('path', { class: 'halo', d: line }, svg);
    shape('path', { class: `line colour-${colour}`, d: line, 'stroke-dasharray': DASHES[form] }, svg);
    const seen = frames.length > 1 && firstSeen(frames, object);
    if (seen) {
      const place = { cx: across(seen.step, run.steps), cy: up(seen.p[object] / 1000), r: 4.5 };
      const mark = shape('circle', { class: `mark colour-${colour}`, ...place }, svg);
      shape('title', {}, mark).textContent = `${names[object]}: step ${seen.step} of ${run.steps}`;
    }
  }
  shape('line', { class: 'cursor', y1: 0, y2: CHART.height }, svg);
}

function moveCursor(svg, step, steps) {
  const cursor = svg.querySelector('.cursor');
  if (!cursor) return;
  cursor.setAttribute('x1', across(step, steps));
  cursor.setAttribute('x2', across(step, steps));
}
