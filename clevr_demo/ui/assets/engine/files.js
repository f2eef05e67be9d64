// Gets the engine's files: from what the browser keeps, or over the network; and none that is not the one it is named for.
import { digestOf } from './digest.js';

const KEPT = 'clevr-duel.engine';

// The browser's cache; null where it has none, or denies it.
async function keptFiles() {
  try {
    return await caches.open(KEPT);
  } catch {
    return null;
  }
}

// The bytes of a stream, told of as they come.
async function read(stream, told) {
  const parts = [];
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Uint8Array(await new Blob(parts).arrayBuffer());
    parts.push(value);
    told(value.length);
  }
}

/**
 * A file's bytes; an Error names the file that is missing or is another one.
 * @param {{url: string, sha256: string}} file where it lies, packed if that ends in ".gz", and what its bytes' digest is
 * @param {(bytes: number) => void} told of so many more bytes that came
 * @returns {Promise<Uint8Array>}
 */
export async function fetched({ url, sha256 }, told = () => {}) {
  const kept = await keptFiles();
  const found = await kept?.match(url).catch(() => null);
  if (found) {
    const bytes = new Uint8Array(await found.arrayBuffer());
    if ((await digestOf(bytes)) === sha256) return bytes;
    await kept.delete(url).catch(() => {});
  }
  const answer = await fetch(url, kept ? { cache: 'no-store' } : {}); // kept once is enough
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  // A host that packs nothing by itself gives files that were packed beforehand.
  const bytes = await read(url.endsWith('.gz') ? answer.body.pipeThrough(new DecompressionStream('gzip')) : answer.body, told);
  if ((await digestOf(bytes)) !== sha256) throw new Error(`${url}: damaged on its way`);
  await kept?.put(url, new Response(bytes)).catch(() => {}); // no room is no harm
  return bytes;
}

/** Forgets files of the engine that are not among these addresses any more. */
export async function forgetOthers(urls) {
  const kept = await keptFiles();
  for (const { url } of (await kept?.keys().catch(() => [])) ?? []) if (!urls.includes(url)) await kept.delete(url).catch(() => {});
}
