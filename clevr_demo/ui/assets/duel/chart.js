// The chart that is the scrubber: how sure the detector is of each object by step, ticks where it is found for good, and a cursor.
const CHART = { width: 1000, height: 100 };
const ICON = 20; // pixels of an object's icon above the curves
const DASHES = { cube: 'none', sphere: '1 5', cylinder: '8 5' };

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

// Labels lie side by side, each as near to its place as they fit in without touching; `width` is one's share of the axis.
function sideBySide(labels, width) {
  const sorted = [...labels].sort((a, b) => a.at - b.at);
  let end = 0;
  return sorted.map((label, place) => {
    const left = Math.min(Math.max(end, label.at), 1 - width * (sorted.length - place));
    end = left + width;
    return { ...label, left };
  });
}

// Above the curves: where each object is found for good; the chips below tell its name.
function drawTicks(place, side, where, run, names) {
  const labels = (side?.since ?? [])
    .map((step, i) => ({ step, object: run.objects[i] }))
    .filter(({ step }) => step)
    .map((label) => ({ ...label, at: axisOf(where + label.step - 1, where, run.steps) }));
  const width = Math.min(1 / Math.max(1, labels.length), ICON / Math.max(300, place.clientWidth));
  place.replaceChildren();
  for (const { step, object, at, left } of sideBySide(labels, width)) {
    make('span', 'tick', place).style.setProperty('--at', at);
    const label = make('span', 'tick-label', place);
    label.style.setProperty('--left', left);
    drawing(names[object], label);
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
