// The ACGAN around its graphs: which noise it draws, and from which layout noise its objects stand clear of given ones.
import { OBJECTS, SIZE, TRIES } from './constants.js';
import { givingWay } from './places.js';
import { seedOf } from './request.js';
import { ends, walked } from './walk.js';

/**
 * Shapes of the noise of one picture, by source, in the order in which it is drawn.
 * @param {{layout_noise: number, object_noise: number, picture_noise: number}} settings the checkpoint's
 */
export function noiseShapes({ layout_noise: layout, object_noise: object, picture_noise: picture }) {
  return { places: [OBJECTS.length, layout], looks: [OBJECTS.length, object], light: [picture], grain: [1, SIZE, SIZE] };
}

/**
 * @typedef {(inputs: {objects: number[], noise: Float32Array, given: Float32Array}) => Promise<Float32Array>} Planner
 *   Objects (K,), their layout noise (K, n) and given centres (K, 2) in pixels, NaN for none, to centres (K, 2).
 */

/**
 * Where a request's objects will stand from layout noise.
 * @param {Planner} planner
 * @param {Float32Array} noise (24, n), a row an object
 * @param {boolean} taught whether the planner was taught to place objects around given ones
 * @returns {Promise<number[][]>} (K, 2) rows and columns in pixels; given ones where they are given
 */
export async function plan(request, planner, noise, taught) {
  const { objects } = request;
  const width = noise.length / OBJECTS.length;
  const given = new Map(request.places.map(([object, row, column]) => [object, [row, column]]));
  const told = Float32Array.from(objects.flatMap((object) => (taught && given.get(object)) || [NaN, NaN]));
  const own = Float32Array.from(objects.flatMap((object) => [...noise.subarray(object * width, (object + 1) * width)]));
  const centres = await planner({ objects, noise: own, given: told });
  return objects.map((object, number) => given.get(object) ?? [centres[2 * number], centres[2 * number + 1]]);
}

// Layout noise from which the chosen objects stand clear of the given ones: the seed's own or, where they would not, what
// its generator has next, behind all noise of a walk.
async function layoutNoise(request, planner, shapes, taught) {
  const { end, generator } = ends(shapes, seedOf(request, 'places'));
  async function* tries() {
    for (let number = 0; number < TRIES.acgan; number += 1) {
      const noise = number ? generator.normal(end.places.length) : end.places;
      yield { centres: await plan(request, planner, noise, taught), noise };
    }
  }
  const given = new Set(request.places.map(([object]) => object));
  return (await givingWay(tries(), request.objects.map((object) => given.has(object)))).noise;
}

/**
 * The noise of each frame of a request's walk; of the last one alone, if `steps` is 1.
 * @param {Planner} planner
 * @param {Object} settings the checkpoint's
 * @param {string} walk which noise moves: "both", "places" or "looks"
 * @returns {Promise<Object<string, Float32Array>[]>} by source
 */
export async function framesNoise(request, planner, settings, steps, walk = 'both') {
  const shapes = noiseShapes(settings);
  const settled = request.places.length ? { places: await layoutNoise(request, planner, shapes, settings.planner_given) } : {};
  return walked(shapes, (source) => seedOf(request, source), steps, walk, settled);
}
