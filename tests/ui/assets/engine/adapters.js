// What the table's entries are called by: the engine's functions, of plain values to plain values.
import { Generator } from './noise.js';
import { latentPath, walked } from './walk.js';

const plain = (noise) => Object.fromEntries(Object.entries(noise).map(([source, values]) => [source, [...values]]));

// Noise drawn one after another from one generator.
export function draws(seed, counts) {
  const generator = new Generator(seed);
  return counts.map((count) => [...generator.normal(count)]);
}

export const path = (start, end, steps) => latentPath(Float32Array.from(start), Float32Array.from(end), steps).map((point) => [...point]);

export const walk = (shapes, seeds, seed, steps, which) => walked(shapes, (source) => seeds[source] ?? seed, steps, which).map(plain);
