// What a model of one pass starts from: its noise, drawn anew from its seeds, stands on its stage while the other begins to
// place. In one step the picture takes its place.
const LEVEL = 48; // of 255, that a standard deviation is lighter or darker

// The noise of a picture by its sources, each of its own seed.
function sourcesOf({ shapes }, query, picture) {
  const drawn = (name) => noiseOf(shapes, new Generator(Number(seedOf(query, name, picture).seed)))[name];
  return Object.fromEntries(Object.keys(shapes).map((name) => [name, drawn(name)]));
}

// An object's numbers of a source that has as many for each.
const rowOf = (values, shape, object) => values.slice(object * shape[1], (object + 1) * shape[1]);

// Where an object's noise means it to stand, before the pass.
function startOf({ shapes, mean, scale }, { places }, object) {
  const [down, across] = rowOf(places, shapes.places, object);
  return [mean[0] + scale[0] * down, mean[1] + scale[1] * across];
}

function paintNoise(canvas, values, width) {
  Object.assign(canvas, { width, height: values.length / width });
  const pixels = new ImageData(width, canvas.height);
  values.forEach((value, place) => pixels.data.set([128 + LEVEL * value, 128 + LEVEL * value, 128 + LEVEL * value, 255], 4 * place));
  canvas.getContext('2d').putImageData(pixels, 0, 0);
}

function paintPlaces(svg, starts, run, frame, names) {
  run.objects.forEach((object, i) => {
    const [colour] = names[object].split(' ');
    const [row, column] = frame.places[i];
    if (starts) drawTrail(svg, [starts[i], [row, column]], colour);
    if (starts) shape('circle', { class: `start-place colour-${colour}`, cx: starts[i][1] + 0.5, cy: starts[i][0] + 0.5, r: 2 }, svg);
    shape('path', { class: `cross colour-${colour}`, d: `M${column - 2} ${row + 0.5}h5M${column + 0.5} ${row - 2}v5` }, svg);
  });
}

function paintStart(place, told, run, frame, picture, names) {
  place.replaceChildren();
  const tile = (title, node) => {
    make('span', 'start-tile', place, title).append(node);
    return node;
  };
  const { shapes } = told;
  const sources = sourcesOf(told, run.query, picture);
  const given = new URLSearchParams(run.query).has('at'); // around given places the planner may have taken further noise
  const starts = given ? null : run.objects.map((object) => startOf(told, sources, object));
  const looks = run.objects.flatMap((object) => [...rowOf(sources.looks, shapes.looks, object)]);
  paintPlaces(tile(given ? 'Places, some given' : 'Places: dot to cross', shape('svg', { viewBox: '0 0 64 64' })), starts, run, frame, names);
  paintNoise(tile('Looks', make('canvas')), looks, shapes.looks[1]);
  paintNoise(tile('Light', make('canvas')), sources.light, shapes.light[0]);
  paintNoise(tile('Grain', make('canvas', 'square')), sources.grain, shapes.grain[2]);
  make('span', 'start-told', place, 'One pass turns this noise into its picture.');
}

// Shows or hides it; what is painted stays while it is of the same picture.
function fillStart(stage, told, run, frame, picture, names) {
  const place = stage.querySelector('.start-noise');
  place.hidden = !told || !frame;
  const key = `${run?.key} ${run?.query} ${picture}`;
  if (place.hidden || place.dataset.of === key) return;
  place.dataset.of = key;
  paintStart(place, told, run, frame, picture, names);
}
