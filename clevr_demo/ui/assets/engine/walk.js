// The noise of the ACGAN's frames: a walk through its noise that ends in the seed's own, as `generators.walk` has it.
import { WALKS } from './constants.js';
import { Generator } from './noise.js';

const product = (shape) => shape.reduce((size, side) => size * side, 1);
const sum = (values) => values.reduce((total, value) => total + value, 0);

/**
 * Noise of several sources, drawn from one generator in their order.
 * @param {Object<string, number[]>} shapes of one picture's noise, by source
 * @returns {Object<string, Float32Array>}
 */
export function noiseOf(shapes, generator) {
  return Object.fromEntries(Object.entries(shapes).map(([source, shape]) => [source, generator.normal(product(shape))]));
}

/** A seed's own noise, where a walk ends, the noise that it starts from, and the generator that drew both. */
export function ends(shapes, seed) {
  const generator = new Generator(seed);
  const end = noiseOf(shapes, generator);
  return { end, start: noiseOf(shapes, generator), generator };
}

/**
 * Points from `start` to `end` along the arc between them (White 2016, arXiv:1609.04468); the last is `end` itself.
 * @returns {Float32Array[]} (steps) of the length of both
 */
export function latentPath(start, end, steps) {
  const length = (values) => Math.sqrt(sum(values.map((value) => value * value)));
  const along = sum(start.map((value, index) => value * end[index]));
  const angle = Math.acos(Math.max(-1, Math.min(1, along / (length(start) * length(end)))));
  const sine = Math.sin(angle);
  return Array.from({ length: steps }, (_, step) => {
    if (step === steps - 1) return end;
    const share = step / (steps - 1);
    const [from, to] = sine < 1e-4 ? [1 - share, share] : [Math.sin((1 - share) * angle) / sine, Math.sin(share * angle) / sine];
    return start.map((value, index) => from * value + to * end[index]);
  });
}

/**
 * The noise of each frame; the last frame's is the request's own, or what is `settled` in its stead.
 * @param {Object<string, number[]>} shapes by source
 * @param {(source: string) => number} seedOf the seed of a source
 * @param {string} walk one of `WALKS`: which sources the walk moves through
 * @returns {Object<string, Float32Array>[]} (steps)
 */
export function walked(shapes, seedOf, steps, walk, settled = {}) {
  const drawn = new Map();
  const ofSeed = (seed) => drawn.get(seed) ?? drawn.set(seed, ends(shapes, seed)).get(seed);
  const of = (source, which) => ofSeed(seedOf(source))[which][source];
  const end = Object.fromEntries(Object.keys(shapes).map((source) => [source, settled[source] ?? of(source, 'end')]));
  const moving = WALKS[walk].filter((source) => source in shapes).map((source) => [source, latentPath(of(source, 'start'), end[source], steps)]);
  return Array.from({ length: steps }, (_, step) => ({ ...end, ...Object.fromEntries(moving.map(([source, path]) => [source, path[step]])) }));
}
