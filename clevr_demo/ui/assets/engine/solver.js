// How a diffusion model is sampled, step by step: the loops of `generators.sampling`, with a table for a solver.

/**
 * @typedef {(x: Float32Array, timestep: number) => Promise<{x_0: Float32Array}>} Denoiser
 *   The estimate of x_0 from x_t, of one length, and what else the graph of a step gives.
 * @typedef {number[]} Row
 *   [timestep, a, b, c]: the state after this step is a x + b x_0 + c (the last x_0). Python makes the tables, off
 *   diffusers' DPM-Solver++ 2M (Lu et al. 2022, arXiv:2211.01095) or DDIM; graphs carry those that they were made for.
 * @typedef {{timestep: number, x: Float32Array, x_0: Float32Array}} Step
 *   A step's state and estimate, with what else the graph gave.
 */

/**
 * The steps from x on.
 * @param {Denoiser} denoiser
 * @param {Row[]} rows a step each
 * @returns {AsyncGenerator<Step>}
 */
export async function* denoise(denoiser, rows, x) {
  let last = new Float32Array(x.length);
  for (const [timestep, a, b, c] of rows) {
    const found = await denoiser(x, timestep);
    yield { timestep, x, ...found };
    const [before, { x_0 }] = [last, found];
    x = x.map((value, index) => a * value + b * x_0[index] + c * before[index]);
    last = x_0;
  }
}

/**
 * The steps around what is known of x_0: RePaint (Lugmayr et al. 2022, arXiv:2201.09865). At each step the known part
 * is set to its noised value, and an ancestral step of all is taken, `resamplings` times with noise put back between.
 * @param {Denoiser} denoiser
 * @param {number[][]} steps [timestep, cumulative alpha at it] a step
 * @param {Float32Array} known x_0, where `fixed` is true
 * @param {boolean[]} fixed of x's length
 * @param {() => Float32Array} noise draws fresh noise of x's shape
 * @returns {AsyncGenerator<Step>}
 */
export async function* denoiseAround(denoiser, steps, x, known, fixed, noise, resamplings) {
  for (const [number, [timestep, here]] of steps.entries()) {
    const there = steps[number + 1]?.[1] ?? 1;
    const spread = ((1 - there) / (1 - here)) * (1 - here / there);
    const kept = here / there;
    for (let left = resamplings - 1; left >= 0; left -= 1) {
      const covered = mixed(here, known, noise());
      x = x.map((value, index) => (fixed[index] ? covered[index] : value));
      const state = x;
      const found = await denoiser(state, timestep);
      const predicted = found.x_0.map((value, index) => (fixed[index] ? known[index] : value));
      if (!left) yield { timestep, ...found, x: state, x_0: predicted };
      const fresh = noise();
      x = state.map((value, index) => {
        const direction = (value - Math.sqrt(here) * predicted[index]) / Math.sqrt(1 - here);
        return Math.sqrt(there) * predicted[index] + Math.sqrt(1 - there - spread) * direction + Math.sqrt(spread) * fresh[index];
      });
      if (left) x = mixed(kept, x, noise());
    }
  }
}

// What is left of x_0 at a cumulative alpha, and the noise that is there instead.
const mixed = (level, x_0, noise) => x_0.map((value, index) => Math.sqrt(level) * value + Math.sqrt(1 - level) * noise[index]);
