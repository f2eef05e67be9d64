// SHA-256 (FIPS 180-4) of bytes, in hex: the browser's own or, where it keeps that to https and this machine, the one here.
const K = new Uint32Array(64);
const START = new Uint32Array(8);

// The first 32 bits behind the point of the primes' cube roots, and of the first eight primes' square roots.
(function fill() {
  const primes = [];
  for (let one = 2; primes.length < 64; one += 1) if (primes.every((prime) => one % prime)) primes.push(one);
  const fraction = (value) => (value - Math.floor(value)) * 2 ** 32;
  primes.forEach((prime, index) => {
    K[index] = fraction(Math.cbrt(prime));
    if (index < 8) START[index] = fraction(Math.sqrt(prime));
  });
})();

const turned = (word, by) => (word >>> by) | (word << (32 - by));

function mix(state, words) {
  for (let i = 16; i < 64; i += 1) {
    const [far, near] = [words[i - 15], words[i - 2]];
    const one = turned(far, 7) ^ turned(far, 18) ^ (far >>> 3);
    const other = turned(near, 17) ^ turned(near, 19) ^ (near >>> 10);
    words[i] = words[i - 16] + one + words[i - 7] + other;
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let i = 0; i < 64; i += 1) {
    const one = (h + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + ((e & f) ^ (~e & g)) + K[i] + words[i]) | 0;
    const other = ((turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + other) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((word, index) => (state[index] += word));
}

/** The digest without the browser's help. */
export function plainDigest(bytes) {
  const padded = new Uint8Array(64 * Math.ceil((bytes.length + 9) / 64));
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(bytes.length / 2 ** 29));
  view.setUint32(padded.length - 4, bytes.length << 3);
  const [state, words] = [Uint32Array.from(START), new Uint32Array(64)];
  for (let block = 0; block < padded.length; block += 64) {
    for (let i = 0; i < 16; i += 1) words[i] = view.getUint32(block + 4 * i);
    mix(state, words);
  }
  return [...state].map((word) => word.toString(16).padStart(8, '0')).join('');
}

/**
 * @param {Uint8Array} bytes
 * @returns {Promise<string>}
 */
export async function digestOf(bytes) {
  if (!globalThis.crypto?.subtle) return plainDigest(bytes);
  const found = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return [...found].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
