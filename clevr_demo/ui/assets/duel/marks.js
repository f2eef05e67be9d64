// Marks on a picture: a ring where the judge sees an object, a cross where the model means one to stand.
const ring = (row, column, more) => ({ cx: column + 0.5, cy: row + 0.5, ...more });

function drawTrail(svg, places, colour) {
  const d = places.map(([row, column], i) => `${i ? 'L' : 'M'}${column + 0.5} ${row + 0.5}`).join('');
  shape('path', { class: 'trail-halo', d }, svg);
  shape('path', { class: `trail colour-${colour}`, d }, svg);
}

function drawMarks(stage, frame, run, names, { rings, places, frames = [] }) {
  const svg = stage.querySelector('.marks');
  svg.replaceChildren();
  const label = stage.querySelector('.mark-label');
  label.hidden = true;
  if (!frame) return;
  if (places || frame.stage === 'where') {
    frame.places.forEach(([row, column], i) => {
      const object = run.objects[i];
      if (object === undefined) return;
      const [colour] = names[object].split(' ');
      if (frame.stage === 'where') drawTrail(svg, trailOf(frames, frame, i), colour);
      const d = `M${column - 2} ${row + 0.5}h5M${column + 0.5} ${row - 2}v5`;
      shape('path', { class: 'cross-halo', d }, svg);
      const cross = shape('path', { class: `cross colour-${colour}`, d }, svg);
      cross.dataset.name = `${names[object]}: meant to stand here`;
      cross.dataset.object = object;
    });
  }
  if (!rings || !isJudged(frame)) return;
  for (const [object, row, column, sure] of frame.found) {
    const wanted = run.objects.includes(object) && sightings(frame, object).length === 1;
    const group = shape('g', { class: `ring ${wanted ? 'wanted' : 'unwanted'}` }, svg);
    shape('circle', ring(row, column, { r: 6, class: 'ring-halo' }), group);
    shape('circle', ring(row, column, { r: 6, class: 'ring-line' }), group);
    shape('circle', ring(row, column, { r: 6, class: 'ring-touch' }), group);
    group.dataset.object = object;
    group.dataset.name = `${names[object]}, ${percent(sure / 1000)}`;
  }
}

// The name of the mark under the pointer or finger.
function nameMark(stage, mark) {
  const label = stage.querySelector('.mark-label');
  label.hidden = !mark;
  if (!mark) return;
  label.textContent = mark.dataset.name;
  const box = mark.getBBox();
  label.style.left = `${(100 * (box.x + box.width / 2)) / 64}%`;
  label.style.top = `${(100 * Math.max(8, box.y)) / 64}%`;
}
