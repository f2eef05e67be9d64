// Reading a run: positions on the timeline, the frame that stands at one, and what the judge said there. No page here.
const percent = (share) => `${Math.round(100 * share)} %`;
const WHERE_SHARE = 0.16; // of the axis: the places take a few frames, whatever the number of steps

// All frames of one model's picture, in order.
function timeline(side) {
  if (!side) return [];
  return side.last ? [...side.frames, side.last] : side.frames;
}

// How many frames tell where the objects go, before the first one tells what they look like.
const whereCount = (frames) => frames.filter((frame) => frame.stage === 'where').length;

// Positions run from 0 over the places and then, one a step, over the pixels; left-out steps have a position too.
const positionOf = (frame, where) => frame.step - 1 + (frame.stage === 'where' ? 0 : where);

// The frame to show at a position: the newest one that is not later, or the first there is.
function frameAt(frames, position) {
  const where = whereCount(frames);
  let found = frames[0];
  for (const frame of frames) if (positionOf(frame, where) <= position) found = frame;
  return found;
}

// The frame of another timeline, of other steps, at the same share of the way.
function frameAlong(frames, position, where, steps) {
  const own = whereCount(frames);
  return frameAt(frames, positionAt(axisOf(position, where, steps), own, frames[frames.length - 1].step));
}

// "Step 6 of 20", "Places 3 of 8"
function named(position, where, steps) {
  return position < where ? `Places ${position + 1} of ${where}` : `Step ${position - where + 1} of ${steps}`;
}

// Share of the axis at a position, 0 to 1: first the places, then the steps, evenly in each.
function axisOf(position, where, steps) {
  const start = where ? WHERE_SHARE : 0;
  if (position < where) return where > 1 ? (position / (where - 1)) * (start - 0.02) : 0;
  return steps > 1 ? start + ((position - where) / (steps - 1)) * (1 - start) : 1;
}

// The position nearest to a share of the axis.
function positionAt(share, where, steps) {
  const start = where ? WHERE_SHARE : 0;
  if (where && share < start - 0.01) return Math.max(0, Math.min(where - 1, Math.round((share / (start - 0.02)) * (where - 1))));
  return where + Math.max(0, Math.min(steps - 1, Math.round(((share - start) / (1 - start)) * (steps - 1))));
}

// Round numbers for an axis of steps, the first and the last included.
function axisSteps(steps) {
  const room = [1, 2, 5, 10, 20, 50, 100, 200, 500].find((size) => steps / size <= 6);
  const between = [];
  for (let step = room; step < steps - room / 2; step += room) if (step > 1) between.push(step);
  return steps > 1 ? [1, ...between, steps] : [1];
}

const isJudged = (frame) => Boolean(frame?.found);
const sightings = (frame, object) => frame.found.filter(([index]) => index === object);

// How sure the detector is of the surest of them, 0 to 1.
const sureOf = (seen) => Math.max(0, ...seen.map(([, , , confidence]) => confidence)) / 1000;

// One entry a requested object and one an unwanted kind: what the judge says of it, and how sure it is.
function chipsOf(frame, objects) {
  const wanted = objects.map((object) => {
    const seen = isJudged(frame) ? sightings(frame, object) : [];
    const mark = !isJudged(frame) ? '' : ['missing', 'found', 'twice'][seen.length] ?? `${seen.length} times`;
    return { object, mark, sure: sureOf(seen), ok: seen.length === 1, wanted: true };
  });
  if (!isJudged(frame)) return wanted;
  const strangers = [...new Set(frame.found.map(([index]) => index))].filter((index) => !objects.includes(index));
  const extra = strangers.map((object) => {
    const seen = sightings(frame, object);
    return { object, mark: seen.length > 1 ? `extra, ${seen.length} times` : 'extra', sure: sureOf(seen), ok: false, wanted: false };
  });
  return [...wanted, ...extra];
}

function source(base64) {
  return `data:image/${base64.startsWith('iVBOR') ? 'png' : 'webp'};base64,${base64}`;
}

// The picture of a frame: its own, or for places the empty scene that the first frame brought.
function pictureOf(frames, frame) {
  return frame.x0 ?? frames.find((one) => one.stage === frame.stage && one.x0)?.x0;
}

// The noisy picture that a step starts from; while the places are chosen, the pure noise that waits for the first one.
function noisyOf(frames, frame) {
  if (frame?.stage !== 'where') return frame?.xt;
  return frames.find((one) => one.stage !== 'where')?.xt;
}

// How an object's place has wandered up to a frame of the places.
function trailOf(frames, frame, object) {
  return frames.filter((one) => one.stage === 'where' && one.step <= frame.step).map((one) => one.places[object]);
}

const MOST_NAMED = 3; // objects of a request up to which they are named
const stepsAfter = (step, steps) => (step === steps ? `step ${steps} changes` : `steps ${step} to ${steps} change`);

// What is said of objects that are there in the end, from their step on.
function foundWords(step, steps, which, last) {
  if (steps === 1) return `${which} recognised in its only step`;
  if (step === steps) return `${which} recognised only in the last step, ${steps}`;
  return `${which} recognised after step ${step}${last ? `; ${stepsAfter(step + 1, steps)} only how it looks` : ''}`;
}

// The sentence that a finished timeline shows, by the detector; nothing before its end.
function conclusionOf(side, { steps, objects }, names) {
  if (!isJudged(side?.last) || !side.since) return ''; // a history keeps no timeline
  const places = objects.map((_, i) => i);
  const [there, gone] = [places.filter((i) => side.since[i]), places.filter((i) => !side.since[i])];
  const seen = gone.filter((i) => side.frames.some((frame) => isJudged(frame) && sightings(frame, objects[i]).length));
  const few = objects.length <= MOST_NAMED; // of more than those it is said how many
  const called = (some) => (few ? `the ${listed(some.map((i) => names[objects[i]]))}` : String(some.length));
  const were = (some) => `${called(some)}${few ? '' : ` of ${objects.length} objects`} ${some.length > 1 ? 'were' : 'was'}`;
  const never = gone.filter((i) => !seen.includes(i));
  const rest = [[seen, 'only on the way'], [never, 'never']].filter(([some]) => some.length).map(([some, how]) => `${called(some)} ${how}`);
  const all = !gone.length;
  if (!there.length) return ['No object is recognised in the end', ...rest.filter(() => seen.length)].join(', ') + '.';
  const more = all && !side.last.exact ? ['more is seen than was asked for'] : [];
  const which = all && objects.length > 1 ? 'every object was' : were(there);
  const told = [foundWords(Math.max(...there.map((i) => side.since[i])), steps, which, all && !more.length), ...rest, ...more].join(', ');
  return `${told[0].toUpperCase()}${told.slice(1)}.`;
}

// The same of a walk through a GAN's noise, which has no steps: in how many of its frames all is right.
function walkWords(frames) {
  const wrong = frames.map((frame, i) => (frame.exact ? 0 : i + 1)).filter(Boolean);
  if (!wrong.length) return `Each of the ${frames.length} frames shows what was asked for, and nothing else.`;
  const told = wrong.length > 6 ? '' : `, all but ${listed(wrong.map(String))}`;
  return `${frames.length - wrong.length} of ${frames.length} frames show what was asked for, and nothing else${told}.`;
}

function newest(side) {
  const frames = timeline(side);
  return frames[frames.length - 1];
}

// Mean scores of one model over the pictures it has finished.
function meanScore(pairs, model, objects) {
  const done = pairs.map((pair) => pair[model].last).filter(Boolean);
  if (!done.length) return null;
  return {
    exact: done.filter((frame) => frame.exact).length,
    count: done.length,
  };
}

// The race: each contender's seconds, where its passes end, and when all objects were found for good.
function raceOf(pair, contenders) {
  const bars = contenders.map(({ name: model, steps: hasSteps }) => {
    const side = pair[model];
    const steps = timeline(side).filter((frame) => frame.stage !== 'where');
    const complete = side.complete && hasSteps ? steps.find((frame) => frame.step === side.complete) : null;
    // Seconds are those of many draws: this one's passes stand at their share of them.
    const own = side.last ? side.last.ms / 1000 : side.seconds;
    const at = (frame) => (own ? (frame.ms / 1000 / own) * side.seconds : 0);
    return { model, seconds: side.seconds, passes: steps.map(at), cost: side.cost ?? '', complete: complete && { step: complete.step, at: at(complete) } };
  });
  return { bars, most: Math.max(0.001, ...bars.map((bar) => bar.seconds)) };
}
