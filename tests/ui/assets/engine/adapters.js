// What the table's entries are called by: the engine's functions, of plain values to plain values.
import * as acgan from './acgan.js';
import { GROUND } from './constants.js';
import * as diffusion from './diffusion.js';
import { digestOf, plainDigest } from './digest.js';
import { fetched } from './files.js';
import { Generator } from './noise.js';
import * as numbers from './numbers.js';
import { InputError, indexOf } from './objects.js';
import * as pictures from './picture.js';
import { byObject, onGround, room } from './places.js';
import * as requests from './request.js';
import { denoise } from './solver.js';
import * as text from './text.js';
import * as verdicts from './verdict.js';
import { latentPath, walked } from './walk.js';
import * as wording from './wording.js';
import * as words from './words.js';

const plain = (noise) => Object.fromEntries(Object.entries(noise).map(([source, values]) => [source, [...values]]));
const floats = (values) => Float32Array.from(values);

// Noise drawn one after another from one generator.
export function draws(seed, counts) {
  const generator = new Generator(seed);
  return counts.map((count) => [...generator.normal(count)]);
}

export const path = (start, end, steps) => latentPath(floats(start), floats(end), steps).map((point) => [...point]);

export const walk = (shapes, seeds, seed, steps, which) => walked(shapes, (source) => seeds[source] ?? seed, steps, which).map(plain);

export const pixels = (seed) => [...diffusion.pixelNoise(seed).x];

// The states and estimates of a solver, around a network that anybody can write down.
export async function solver(rows, x) {
  const found = [];
  const denoiser = async (state, timestep) => ({ x_0: state.map((value, index) => (0.3 + timestep / 3000) * value + index / 50) });
  for await (const step of denoise(denoiser, rows, floats(x))) found.push([step.timestep, [...step.x], [...step.x_0]]);
  return found;
}

const MEAN = [28, 31.5];
const SCALE = [10, 12];

// As toy_denoiser in the table, behind the interface of a graph.
async function toyPlanner({ x, timestep, objects, given }) {
  const inPixels = (values) => values.map((value, index) => Math.max(0, Math.min(63, value * SCALE[index % 2] + MEAN[index % 2])));
  const x_0 = x.map((value, index) => {
    if (!Number.isNaN(given[index])) return (given[index] - MEAN[index % 2]) / SCALE[index % 2];
    return (0.2 + timestep / 4000) * value + objects[Math.floor(index / 2)] / 100 - 0.1;
  });
  return { x_0, noisy: inPixels(x), predicted: inPixels(x_0) };
}

export const plan = (request, rows, levels, taught) => diffusion.plan(request, toyPlanner, { rows, levels, taught });

// As ToyPlanner in the table.
const ofNoise = async ({ noise, objects, given }) => given.map((value, index) => {
  const width = noise.length / objects.length;
  const own = noise[Math.floor(index / 2) * width + (index % 2)];
  return Number.isNaN(value) ? Math.fround(MEAN[index % 2] + (SCALE[index % 2] / 2) * own) : value;
});

export async function layout(request, settings, steps, which) {
  const frames = await acgan.framesNoise(request, ofNoise, settings, steps, which);
  const places = await Promise.all(frames.map((noise) => acgan.plan(request, ofNoise, noise.places, settings.planner_given)));
  return [frames.map(plain), places];
}

export const spread = (objects, centres) => Object.values(byObject(objects, centres)).map((values) => [...values]);
export const apart = (centres, fixed) => room(centres, fixed);
export const ground = (centres) => [GROUND.length, centres.map(onGround)];

export const chosen = (candidates, settings) => verdicts.chosen(floats(candidates), settings)
  .map(({ object, row, column, confidence }) => [object, row, column, confidence]);

const sightings = (found) => found.map(([object, row, column, confidence]) => ({ object, row, column, confidence }));
export const verdict = (requested, found) => verdicts.verdictOf(requested, sightings(found));
export const compact = (requested, found, probabilities) => verdicts.compact(requested, sightings(found), probabilities ?? undefined);

export const query = (link) => [...requests.readQuery(link)];
export const request = (link, known) => requests.fromQuery(requests.readQuery(link), known);
export const link = (asked, weights) => requests.queryOf(asked, weights);

export function object(name) {
  try {
    return indexOf(name);
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
}
export const read = (value) => [text.intOf(value), text.floatOf(value)].map((number) => (number === null ? '' : text.shown(number)));
export const shown = (value) => text.shown(value);
export const number = (name, value) => numbers[name](value);
export const said = (name, ...values) => (words[name] ?? wording[name])(...values);

export const levels = (values) => [...pictures.levelsOf(floats(values))];
export async function png(values, width, text) {
  return Buffer.from(await pictures.png(pictures.levelsOf(floats(values)), width, text)).toString('base64');
}

export const digest = async (values) => [plainDigest(Uint8Array.from(values)), await digestOf(Uint8Array.from(values))];

// A file of what a network gives (null for none), what a browser kept of it, and how that keeps: "kept", "denied" or "full".
export async function file(given, before, storage, sha256) {
  const kept = new Map(before ? [['a.onnx', Uint8Array.from(before)]] : []);
  let got = 0;
  globalThis.caches = {
    async open() {
      if (storage === 'denied') throw new Error('denied');
      return {
        match: async (url) => (kept.has(url) ? new Response(kept.get(url)) : undefined),
        delete: async (url) => kept.delete(url),
        async put(url, answer) {
          if (storage === 'full') throw new Error('no room');
          kept.set(url, new Uint8Array(await answer.arrayBuffer()));
        },
      };
    },
  };
  globalThis.fetch = async () => {
    got += 1;
    return given ? new Response(Uint8Array.from(given)) : new Response('', { status: 404 });
  };
  const found = await fetched({ url: 'a.onnx', sha256 }).then((bytes) => ({ bytes: [...bytes] }), (error) => ({ error: error.message }));
  return { ...found, got, kept: kept.has('a.onnx') ? [...kept.get('a.onnx')] : null };
}
