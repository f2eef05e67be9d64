// The Mersenne Twister MT19937 (Matsumoto & Nishimura 1998), seeded as torch's CPU generator is: by 32 bits, spread over
// the state by Knuth's rule. No page here, nor in any file beside it.
const WORDS = 624;
const APART = 397;
const MATRIX = 0x9908b0df;

export class MersenneTwister {
  /** @param {number} seed a whole number, 0 to 2^32 - 1; of a larger one the lower 32 bits count */
  constructor(seed) {
    this.state = new Uint32Array(WORDS);
    this.state[0] = seed;
    for (let index = 1; index < WORDS; index += 1) {
      const before = this.state[index - 1];
      this.state[index] = Math.imul(1812433253, before ^ (before >>> 30)) + index;
    }
    this.next = WORDS;
  }

  // Makes the next 624 words of the state; each reads one that this very pass may have renewed.
  renew() {
    const { state } = this;
    for (let index = 0; index < WORDS; index += 1) {
      const bits = (state[index] & 0x80000000) | (state[(index + 1) % WORDS] & 0x7fffffff);
      state[index] = state[(index + APART) % WORDS] ^ (bits >>> 1) ^ (bits & 1 ? MATRIX : 0);
    }
    this.next = 0;
  }

  /** @returns {number} 32 random bits, 0 to 2^32 - 1 */
  word() {
    if (this.next === WORDS) this.renew();
    let word = this.state[this.next];
    this.next += 1;
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c5680;
    word ^= (word << 15) & 0xefc60000;
    return (word ^ (word >>> 18)) >>> 0;
  }
}
