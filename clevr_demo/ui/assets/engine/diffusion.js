// The DDPM around its graphs: which noise it draws, and where it plans the objects to stand.
import { OBJECTS, PLANNER_STEPS, RESAMPLINGS, SIZE, TRIES, WHERE_FRAMES } from './constants.js';
import { Generator } from './noise.js';
import { halfEven } from './numbers.js';
import { givingWay } from './places.js';
import { seedOf } from './request.js';
import { denoise, denoiseAround } from './solver.js';

const PIXELS = 3 * SIZE * SIZE;
const PATCH = 2; // pixels a side of a cell: space-to-depth makes channels of the others

/**
 * The noise that a seed's picture starts from, as the painters' graphs take it: 2 by 2 pixels are four channels.
 * @returns {{x: Float32Array, generator: Generator}} (12, 32, 32), and what drew it, which has the places' noise next
 */
export function pixelNoise(seed) {
  const generator = new Generator(seed);
  const pixels = generator.normal(PIXELS);
  const side = SIZE / PATCH;
  const x = pixels.map((_, index) => {
    const [plane, row, column] = [Math.floor(index / side ** 2), Math.floor(index / side) % side, index % side];
    const [channel, part] = [Math.floor(plane / PATCH ** 2), plane % PATCH ** 2];
    return pixels[(channel * SIZE + PATCH * row + Math.floor(part / PATCH)) * SIZE + PATCH * column + (part % PATCH)];
  });
  return { x, generator };
}

// What draws the noise of a seed's places, behind the pixels': of all objects, so that one more leaves the others' alone.
function placeNoise(seed, objects) {
  const { generator } = pixelNoise(seed);
  return () => {
    const all = generator.normal(2 * OBJECTS.length);
    return Float32Array.from(objects.flatMap((object) => [all[2 * object], all[2 * object + 1]]));
  };
}

const pairs = (values) => Array.from({ length: values.length / 2 }, (_, index) => [values[2 * index], values[2 * index + 1]]);

/**
 * The centres of a request's objects at `WHERE_FRAMES` moments, from noise to where they stay.
 * @param {import('./request.js').Request} request
 * @param {(inputs: {x: Float32Array, timestep: number, objects: number[], given: Float32Array}) => Promise<{x_0: Float32Array,
 *   noisy: Float32Array, predicted: Float32Array}>} planner one step: x (K, 2) and given centres (K, 2) in pixels, NaN for
 *   none, to the estimate of x_0 (K, 2), in which given ones stand as the planner has them, and the centres in pixels at
 *   x and at the estimate
 * @param {{rows: number[][], levels?: number[], taught: boolean}} steps the solver's, whether the planner was taught to
 *   place objects around given ones, and the cumulative alpha at each step for one that was not
 * @returns {Promise<number[][][]>} (WHERE_FRAMES, K, 2) rows and columns in pixels
 */
export async function plan(request, planner, steps) {
  const { objects } = request;
  const given = new Map(request.places.map(([object, row, column]) => [object, [row, column]]));
  const noise = placeNoise(seedOf(request, 'places'), objects);
  const none = new Float32Array(2 * objects.length).fill(NaN);
  const wanted = Float32Array.from(objects.flatMap((object) => given.get(object) ?? [NaN, NaN]));
  const fixed = objects.map((object) => given.has(object));
  const step = (told) => (x, timestep) => planner({ x, timestep, objects, given: told });
  const held = (centres) => centres.map((centre, number) => given.get(objects[number]) ?? centre);

  async function layout(some) {
    const found = [];
    for await (const one of some) found.push(one);
    const moments = [...found.map((one) => one.noisy), found[found.length - 1].predicted].map((one) => held(pairs(one)));
    return { centres: moments[moments.length - 1], moments };
  }
  async function* tries() {
    const around = steps.taught ? null : await knownOf(step(wanted), steps, wanted);
    const levels = steps.taught ? [] : steps.rows.map(([timestep], number) => [timestep, steps.levels[number]]);
    const both = fixed.flatMap((one) => [one, one]);
    for (let number = 0; number < TRIES.ddpm; number += 1) {
      const some = steps.taught
        ? denoise(step(wanted), steps.rows, noise())
        : denoiseAround(step(none), levels, noise(), around, both, noise, RESAMPLINGS);
      yield await layout(some);
    }
  }

  if (fixed.every(Boolean)) return shownOf(Array(PLANNER_STEPS + 1).fill(held(pairs(wanted))));
  if (!given.size) return shownOf((await layout(denoise(step(none), steps.rows, noise()))).moments);
  return shownOf((await givingWay(tries(), fixed)).moments);
}

// Given centres as the planner has them, zero for the others: its estimate of what it is told.
async function knownOf(denoiser, { rows: [[timestep]] }, wanted) {
  const { x_0 } = await denoiser(new Float32Array(wanted.length), timestep);
  return x_0.map((value, index) => (Number.isNaN(wanted[index]) ? 0 : value));
}

// Of the moments before each step and after the last one, those that are shown.
function shownOf(moments) {
  return Array.from({ length: WHERE_FRAMES }, (_, frame) => moments[halfEven((frame * PLANNER_STEPS) / (WHERE_FRAMES - 1))]);
}
