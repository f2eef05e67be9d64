// Both models around their graphs: a picture's frames, each as soon as it is made, as `generators` give them.
import { framesNoise, plan as planned } from './acgan.js';
import { OBJECTS, SIZE, WHERE_FRAMES } from './constants.js';
import { pixelNoise, plan } from './diffusion.js';
import { painterOf } from './needs.js';
import { byObject } from './places.js';
import { seedOf } from './request.js';
import { denoise } from './solver.js';

const CELLS = [12, SIZE / 2, SIZE / 2]; // of a painter's state
const told = ({ centres, labels }) => ({ centres: [centres, [OBJECTS.length, 2]], labels: [labels, [OBJECTS.length]] });

/**
 * @typedef {{stage: string, t: number, places: number[][], noisy?: Float32Array, predicted?: Float32Array, passes: number,
 *   last: boolean}} Frame
 *   Pixels are (3, 64, 64) in [-1, 1]; of the stage "where" there are none. `passes` of the pixel network so far.
 */

async function* ddpm(graphs, name, model, request) {
  const { objects } = request;
  const [K, painter] = [objects.length, painterOf(model, request)];
  const planner = ({ x, timestep, objects: some, given }) => graphs.run(`${name}/planner`, {
    x: [x, [K, 2]], timestep: [[timestep], []], objects: [some, [K]], given: [given, [K, 2]],
  });
  const [rows] = Object.values(model.graphs.planner.steps);
  const moments = await plan(request, planner, { rows, levels: model.levels, taught: model.settings.planner_given });
  for (const [index, places] of moments.entries()) yield { stage: 'where', t: WHERE_FRAMES - index, places, passes: 0, last: false };
  const places = moments[moments.length - 1];
  const fixed = told(byObject(objects, places));
  const denoiser = (x, timestep) => graphs.run(`${name}/${painter}`, { x: [x, CELLS], timestep: [[timestep], []], ...fixed });
  let passes = 0;
  for await (const step of denoise(denoiser, model.graphs[painter].steps[request.steps], pixelNoise(seedOf(request, 'pixels')).x)) {
    passes += 1;
    yield { stage: 'what', t: step.timestep, places, noisy: step.noisy, predicted: step.predicted, passes, last: passes === request.steps };
  }
}

async function* acgan(graphs, name, model, request) {
  const { settings } = model;
  const planner = async ({ objects, noise, given }) => {
    const K = objects.length;
    const inputs = { objects: [objects, [K]], noise: [noise, [K, settings.layout_noise]], given: [given, [K, 2]] };
    return (await graphs.run(`${name}/planner`, inputs)).centres;
  };
  const [noise] = await framesNoise(request, planner, settings, 1);
  const places = await planned(request, planner, noise.places, settings.planner_given);
  const { pixels } = await graphs.run(`${name}/painter`, {
    ...told(byObject(request.objects, places)),
    looks: [noise.looks, [OBJECTS.length, settings.object_noise]],
    light: [noise.light, [settings.picture_noise]],
    grain: [noise.grain, [1, SIZE, SIZE]],
  });
  yield { stage: 'what', t: 0, places, noisy: pixels, predicted: pixels, passes: 1, last: true };
}

const MODELS = { ddpm, acgan };

/**
 * The frames of one picture of a model's.
 * @param {import('./graphs.js').Graphs} graphs whose sessions are open
 * @returns {AsyncGenerator<Frame>}
 */
export const framesOf = (graphs, name, model, request) => MODELS[model.kind](graphs, name, model, request);

/** Whether a picture comes step by step. */
export const hasSteps = ({ kind }) => kind === 'ddpm';
