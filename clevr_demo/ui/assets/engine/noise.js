// Standard normal noise as torch's CPU generator draws it in float32: the same seed, the same numbers, to 1e-6 (where it has
// AVX2: its logarithms, sines and cosines are then others in the last bit; without, its angles are, and it is 3e-6).
// Box and Muller's transform (1958) in two ways: number by number where fewer than `BLOCK` are asked for, else in blocks.
import { MersenneTwister } from './mersenne.js';

const BLOCK = 16;
const TURN = Math.fround(2 * Math.PI);

export class Generator {
  /** @param {number} seed 0 to 2^31 - 1, what `torch.Generator().manual_seed` is given */
  constructor(seed) {
    this.twister = new MersenneTwister(seed);
    this.kept = null; // the second number of a pair whose first was asked for alone; it outlives draws of blocks
  }

  // A float32 in [0, 1), of 24 bits.
  uniform() {
    return (this.twister.word() & 0xffffff) / 2 ** 24;
  }

  // A double in [0, 1), of 53 bits: the lower ones of two words, the first of which is the higher one.
  uniformDouble() {
    const high = this.twister.word() & 0x1fffff;
    return (high * 2 ** 32 + this.twister.word()) / 2 ** 53;
  }

  one() {
    if (this.kept !== null) {
      const value = this.kept;
      this.kept = null;
      return value;
    }
    const turn = 2 * Math.PI * this.uniformDouble();
    const radius = Math.sqrt(-2 * Math.log1p(-this.uniformDouble()));
    this.kept = radius * Math.sin(turn);
    return radius * Math.cos(turn);
  }

  /**
   * `torch.randn(count, generator=...)`.
   * @param {number} count how many; a shape's product, in the order of its last axis
   * @returns {Float32Array} (count,)
   */
  normal(count) {
    const values = new Float32Array(count);
    if (count < BLOCK) return values.map(() => this.one());
    for (let index = 0; index < count; index += 1) values[index] = this.uniform();
    for (let start = 0; start + BLOCK <= count; start += BLOCK) transform(values.subarray(start, start + BLOCK));
    if (count % BLOCK) { // what is left over is drawn anew, as one more block that ends where the values do
      const last = values.subarray(count - BLOCK);
      for (let index = 0; index < BLOCK; index += 1) last[index] = this.uniform();
      transform(last);
    }
    return values;
  }
}

// A block of uniform numbers to normal ones, in place: its first half says how far, its second in which direction.
function transform(block) {
  const half = BLOCK / 2;
  for (let index = 0; index < half; index += 1) {
    const radius = Math.fround(Math.sqrt(Math.fround(-2 * Math.fround(Math.log(1 - block[index])))));
    const turn = Math.fround(TURN * block[index + half]); // rounded to float32, as it is there: far out that is seen
    block[index] = radius * Math.cos(turn);
    block[index + half] = radius * Math.sin(turn);
  }
}
