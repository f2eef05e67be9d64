// Pixels as levels of 255, and a PNG of them that knows how it was drawn. From tensors, never from a canvas: some browsers
// falsify what they read back from one.
import { MARK } from './constants.js';
import { halfEven } from './numbers.js';

/**
 * Pixels to levels, as Python makes them.
 * @param {Float32Array} pixels (3, side, side) in [-1, 1]; values outside are clipped
 * @returns {Uint8Array} (side, side, 3)
 */
export function levelsOf(pixels) {
  const area = pixels.length / 3;
  return Uint8Array.from(pixels, (_, index) => {
    const value = pixels[(index % 3) * area + Math.floor(index / 3)];
    return halfEven(Math.fround(Math.fround(Math.max(-1, Math.min(1, value)) + 1) * 127.5));
  });
}

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte;
  for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  return sum;
});

function chunk(kind, content) {
  const bytes = new Uint8Array(content.length + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, content.length);
  bytes.set(new TextEncoder().encode(kind), 4);
  bytes.set(content, 8);
  let sum = 0xffffffff;
  for (const byte of bytes.subarray(4, -4)) sum = CRC[(sum ^ byte) & 255] ^ (sum >>> 8);
  view.setUint32(content.length + 8, ~sum);
  return bytes;
}

async function compressed(content) {
  const stream = new Blob([content]).stream().pipeThrough(new CompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/**
 * A PNG (its second edition, ISO 15948) of eight-bit colours, without filters.
 * @param {Uint8Array} levels (height, width, 3)
 * @param {string} query what drew it, plain ASCII; "" for none
 * @returns {Promise<Uint8Array>} the file
 */
export async function png(levels, width, query = '') {
  const height = levels.length / (3 * width);
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, 2], 8); // bits a channel, and colour without a palette or transparency
  const rows = new Uint8Array(height * (3 * width + 1)); // each starts with its filter, 0 for none
  for (let row = 0; row < height; row += 1) rows.set(levels.subarray(3 * width * row, 3 * width * (row + 1)), row * (3 * width + 1) + 1);
  const parts = [Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a), chunk('IHDR', header)];
  if (query) parts.push(chunk('tEXt', new TextEncoder().encode(`${MARK}\0${query}`)));
  parts.push(chunk('IDAT', await compressed(rows)), chunk('IEND', new Uint8Array()));
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}
