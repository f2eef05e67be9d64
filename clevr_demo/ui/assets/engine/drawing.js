// Draws a request with both models and judges it, update by update: runs as `serve.payload` has them for the page.
import { FAST_STEPS, MAX_SEED, OBJECTS, SAMPLERS, SIZE } from './constants.js';
import { framesOf, hasSteps } from './models.js';
import { tenths } from './numbers.js';
import { levelsOf, png } from './picture.js';
import { queryOf } from './request.js';
import { chosen, compact } from './verdict.js';
import { beyond, cost, done, drawing, warned } from './wording.js';

const INTERVAL = 100; // milliseconds between two updates, at least
const ENOUGH = 5; // steps by which it is judged how long the others take

const base64 = (bytes) => btoa(String.fromCharCode(...bytes));

// Levels (64, 64, 3) as the judge takes them: (3, 64, 64) in [-1, 1].
function pixelsOf(levels) {
  const area = levels.length / 3;
  return Float32Array.from({ length: levels.length }, (_, index) => {
    const level = levels[3 * (index % area) + Math.floor(index / area)];
    return Math.fround(Math.fround(level / 127.5) - 1);
  });
}

// What the judge says of a picture; with `course`, by the classifier as well, where that is there.
async function judged(graphs, judge, levels, objects, course) {
  const pixels = [pixelsOf(levels), [3, SIZE, SIZE]];
  const { candidates } = await graphs.run('judge/detector', { pixels });
  const found = chosen(candidates, judge.detector);
  if (!course || !graphs.sessions.has('judge/classifier')) return compact(objects, found);
  const { logits } = await graphs.run('judge/classifier', { pixels });
  return compact(objects, found, [...logits].map((logit) => Math.fround(1 / (1 + Math.exp(-logit / judge.classifier.temperature)))));
}

// For each object the step from which on every judged frame finds it; null if the last one does not.
function since(frames, objects) {
  return objects.map((object) => {
    let first = null;
    for (const frame of [...frames].reverse()) {
      if (!frame.found?.some(([one]) => one === object)) break;
      first = frame.step;
    }
    return first;
  });
}

const places = (centres) => centres.map((centre) => centre.map(tenths));
const frameOf = ({ stage, t }, ms, centres) => ({ stage, t, ms: Math.round(ms), places: places(centres) });

// One contender's picture as it grows. While it is moved, it is the finished one alone.
class Side {
  constructor(manifest, name, request, query, moving) {
    Object.assign(this, { manifest, name, request, query, moving, model: manifest.models[name], frames: [], last: null, ms: 0, passes: 0, where: 0 });
    this.timeline = !moving && hasSteps(this.model);
  }

  // Draws it, and comes back after every frame.
  async* grow(graphs) {
    const frames = framesOf(graphs, this.name, this.model, this.request);
    for (;;) {
      const started = performance.now();
      const { value: frame, done: over } = await frames.next();
      if (over) return;
      this.ms += performance.now() - started;
      this.passes = frame.passes;
      if (frame.last || this.timeline) await this.add(graphs, frame);
      yield;
    }
  }

  async add(graphs, frame) {
    const kept = frameOf(frame, this.ms, frame.places);
    if (frame.stage === 'where') {
      this.where += 1;
      this.frames.push({ ...kept, step: this.where, ...(this.where === 1 && { x0: this.manifest.check.empty }) });
      return;
    }
    const levels = levelsOf(frame.predicted);
    const verdict = await judged(graphs, this.manifest.judge, levels, this.request.objects, !this.moving && frame.last);
    const step = hasSteps(this.model) || this.moving ? frame.passes : this.request.steps; // a walk's last one
    const made = { ...kept, step, ...verdict, x0: base64(await png(levels, SIZE, frame.last ? this.query : '')) };
    if (this.timeline) made.xt = base64(await png(levelsOf(frame.noisy), SIZE));
    if (frame.last) this.last = made;
    else this.frames.push(made);
  }

  payload(others) {
    const found = since(this.last ? [...this.frames, this.last] : this.frames, this.request.objects);
    const base = Math.min(...others.filter((other) => other.last).map((other) => other.ms));
    return {
      frames: [...this.frames], last: this.last, seconds: Math.round(10 * this.ms) / 10000, evaluations: this.passes, since: found,
      complete: found.includes(null) ? null : Math.max(...found),
      cost: cost(this.passes, this.ms / 1000, Number.isFinite(base) ? base / 1000 : 0),
    };
  }
}

/** A request as it is drawn while its objects are moved: one picture in few steps. */
export const quick = (request) => ({ ...request, steps: Math.min(request.steps, FAST_STEPS), sampler: SAMPLERS[0], pictures: 1 });

// Lets messages in that came meanwhile; a timer would wait for four milliseconds.
const turn = () => new Promise((done) => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => done(port1.close());
  port2.postMessage(null);
});

const weightsOf = (manifest, names) => Object.fromEntries(names.map((name) => [name, manifest.models[name].fingerprint]));

/**
 * The run after every update, as plain values; the last one is done, unless `halt.now` turned true.
 * @param {Object} manifest
 * @param {import('./graphs.js').Graphs} graphs with all sessions open that the request needs
 * @param {import('./request.js').Request} request
 * @param {{moving?: boolean, halt?: {now: boolean}, key: string}} how `moving`: the finished pictures alone, and not judged
 *   by the classifier, of a request that is `quick`
 */
export async function* drawn(manifest, graphs, request, { moving = false, halt = { now: false }, key }) {
  const names = request.duel.length ? request.duel : manifest.pair;
  const weights = weightsOf(manifest, names);
  const inTurn = [...names].sort((one, other) => hasSteps(manifest.models[one]) - hasSteps(manifest.models[other]));
  const run = new Run(manifest, request, names, key, queryOf(request, weights), moving);
  let sent = performance.now();
  for (let number = 0; number < request.pictures; number += 1) {
    const single = { ...request, seed: (request.seed + number) % (MAX_SEED + 1), pictures: 1 };
    const sides = Object.fromEntries(names.map((name) => [name, new Side(manifest, name, single, queryOf(single, weights), moving)]));
    run.pairs.push({ seed: single.seed, sides });
    for (const name of inTurn) {
      for await (const _ of sides[name].grow(graphs)) {
        if (moving) continue;
        await turn();
        if (halt.now) return;
        if (performance.now() - sent < INTERVAL) continue;
        sent = performance.now();
        yield run.payload('drawing');
      }
    }
  }
  yield run.payload(moving ? 'moving' : 'done');
}

class Run {
  constructor(manifest, request, names, key, query, moving) {
    Object.assign(this, { manifest, request, names, key, query, moving, pairs: [], started: performance.now() });
  }

  sentence(state) {
    const { steps, pictures } = this.request;
    const { sides } = this.pairs[this.pairs.length - 1] ?? { sides: {} };
    const lead = this.names.find((name) => hasSteps(this.manifest.models[name])) ?? this.names[0];
    const step = sides[lead]?.passes ?? 0;
    if (state === 'drawing') {
      const behind = Math.max(0, this.pairs.length - 1) * steps + step;
      const left = behind < ENOUGH ? null : ((performance.now() - this.started) / behind) * (pictures * steps - behind) / 1000;
      return drawing(step, steps, this.pairs.length, pictures, left);
    }
    const verdicts = this.names.map((name) => [this.manifest.models[name].title, this.pairs.map(({ sides: own }) => own[name].last).filter(Boolean)]);
    return done(Object.fromEntries(verdicts.map(([title, frames]) => [title, frames.map(({ told, exact }) => ({ sentence: told, exact }))])));
  }

  payload(state) {
    const { objects, steps, seed, pictures, duel } = this.request;
    const unusual = warned(this.request);
    const pairs = this.pairs.map(({ seed: own, sides }) => {
      const all = Object.values(sides);
      return { seed: own, ...Object.fromEntries(Object.entries(sides).map(([name, side]) => [name, side.payload(all.filter((one) => one !== side))])) };
    });
    return {
      key: this.key, state, status: [this.sentence(state), beyond(this.request)].filter(Boolean).join(' '), objects, steps, seed,
      total: pictures, query: this.query, pairs, by: 'browser', ...(duel.length && { contenders: duel }), ...(unusual && { unusual }),
    };
  }
}
