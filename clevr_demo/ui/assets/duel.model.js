// Reading a run: which frame stands at a step, what the judge said there, and the summary in words.
const MODELS = ['ddpm', 'acgan'];
const TITLES = { ddpm: 'DDPM', acgan: 'ACGAN' };
const percent = (share) => `${Math.round(100 * share)} %`;

// All frames of one model's picture, in step order.
function timeline(side) {
  if (!side) return [];
  return side.last ? [...side.frames, side.last] : side.frames;
}

// The frame to show at a step: the newest one that is not later, or the first there is.
function frameAt(frames, step) {
  let found = frames[0];
  for (const frame of frames) if (frame.step <= step) found = frame;
  return found;
}

function firstSeen(frames, object) {
  return frames.find((frame) => frame.seen.includes(object));
}

function source(base64) {
  return `data:image/${base64.startsWith('iVBOR') ? 'png' : 'webp'};base64,${base64}`;
}

function score(frame, objects) {
  return {
    accuracy: frame.hits / objects.length,
    exact: frame.exact,
    missed: objects.filter((object) => !frame.seen.includes(object)),
    extra: frame.seen.filter((object) => !objects.includes(object)),
  };
}

function newest(side) {
  const frames = timeline(side);
  return frames[frames.length - 1];
}

function seconds(value) {
  return value >= 10 ? `${Math.round(value)} s` : `${value.toFixed(value >= 0.995 ? 1 : 2)} s`;
}

function passes(count) {
  return `${count} network evaluation${count === 1 ? '' : 's'}`;
}

function listed(names) {
  if (names.length < 2) return names.join('');
  return `${names.slice(0, -1).join(', ')} and ${names[names.length - 1]}`;
}

// "met the request", or "missed 1 and added 2 objects"; which ones, the chips below say
function outcome(frame, objects) {
  const { missed, extra } = score(frame, objects);
  const parts = [];
  if (missed.length) parts.push(`missed ${missed.length}`);
  if (extra.length) parts.push(`added ${extra.length}`);
  const count = extra.length || missed.length;
  return parts.length ? `${parts.join(' and ')} object${count === 1 ? '' : 's'}` : 'met the request';
}

function pairSummary(pair, objects) {
  return MODELS.map((model) => {
    const { evaluations } = pair[model];
    const cost = `${seconds(pair[model].seconds)}, ${evaluations} evaluation${evaluations === 1 ? '' : 's'}`;
    return `${TITLES[model]} ${outcome(newest(pair[model]), objects)} (${cost}).`;
  }).join(' ');
}

// Mean scores of one model over the pictures it has finished.
function meanScore(pairs, model, objects) {
  const done = pairs.filter((pair) => pair[model].last).map((pair) => score(pair[model].last, objects));
  if (!done.length) return null;
  return {
    accuracy: done.reduce((sum, one) => sum + one.accuracy, 0) / done.length,
    exact: done.filter((one) => one.exact).length,
    count: done.length,
  };
}

function gridSummary(pairs, objects) {
  return MODELS.map((model) => {
    const mean = meanScore(pairs, model, objects);
    if (!mean) return `${TITLES[model]}: nothing finished`;
    return `${TITLES[model]}: mean accuracy ${percent(mean.accuracy)}, exact match ${mean.exact} of ${mean.count}`;
  }).join('. ');
}

function summary(run) {
  const pair = run.pairs[run.pairs.length - 1];
  if (run.state === 'stopped') {
    if (!pair || !newest(pair.ddpm)) return 'Stopped before the first step.';
    const where = `step ${newest(pair.ddpm).step} of ${run.steps}`;
    const which = run.total > 1 ? ` of picture ${run.pairs.length} of ${run.total}` : '';
    return `Stopped after ${where}${which}. The last frame is kept.`;
  }
  if (run.state === 'drawing') {
    const frame = pair && newest(pair.ddpm);
    const which = run.total > 1 ? `picture ${run.pairs.length} of ${run.total}, ` : '';
    return `Drawing: ${which}step ${frame ? frame.step : 0} of ${run.steps}`;
  }
  return run.total > 1 ? `${gridSummary(run.pairs, run.objects)}.` : pairSummary(pair, run.objects);
}
