// The chart that is the scrubber: how sure the detector is of each object by step, and a cursor.
const CHART = { width: 1000, height: 100 };
const MOST_POINTS = 24; // steps up to which each has its point
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

// Points on the curves, each at its own step: all that was judged while those are few, and large from where an object
// is found for good.
function drawPoints(place, side, frames, where, run, names) {
  place.replaceChildren();
  const judged = frames.filter(isJudged);
  run.objects.forEach((object, i) => {
    for (const frame of judged) {
      const settled = side.since?.[i] === frame.step;
      if (!settled && judged.length > MOST_POINTS) continue;
      const point = make('span', `point colour-${names[object].split(' ')[0]}`, place);
      point.style.setProperty('--at', axisOf(positionOf(frame, where), where, run.steps));
      point.style.setProperty('--up', up(sureOf(sightings(frame, object))) / CHART.height);
      if (settled) point.classList.add('settled');
      if (settled) point.title = `${names[object]}: found from step ${frame.step} of ${run.steps} on`;
    }
  });
}

// Beside the curves: how sure the detector is of the same objects in the other's finished picture.
function drawEnds(place, frame, title, run, names) {
  place.replaceChildren();
  if (!isJudged(frame)) return;
  for (const object of run.objects) {
    const sure = sureOf(sightings(frame, object));
    const end = make('span', `point end colour-${names[object].split(' ')[0]}`, place);
    end.style.setProperty('--up', up(sure) / CHART.height);
    end.title = `${names[object]} in the ${title}'s picture: ${sure ? percent(sure) : 'not found'}`;
  }
}

// What is which: a line as it is drawn, and the object's name.
function drawLegend(place, run, names) {
  place.replaceChildren();
  for (const object of run.objects) {
    const item = make('li', '', place);
    const [colour, form] = names[object].split(' ');
    const svg = shape('svg', { class: `colour-${colour}`, viewBox: '0 0 28 8', 'aria-hidden': 'true' }, item);
    shape('path', { class: 'line', d: 'M2 4h24', 'stroke-dasharray': DASHES[form] }, svg);
    make('span', '', item, names[object]);
  }
}

// Below the curves: the numbers of the steps.
function drawAxis(place, where, steps) {
  place.replaceChildren();
  if (where) make('span', 'axis-where', place, 'places').style.setProperty('--at', 0);
  for (const step of axisSteps(steps)) {
    const number = make('span', 'axis-step', place, String(step));
    if (step === 1) number.prepend(make('span', 'axis-unit', null, 'step '));
    number.style.setProperty('--at', axisOf(where + step - 1, where, steps));
  }
}
