// The engine as a worker of the page's: draws and judges what it is asked for, apart from the page's own thread.
//   { act: 'load', id, base, manifest, names }   gets what is lacking of these graphs
//   { act: 'draw', id, query, moving, key }      needs them; with `moving` in few steps
//   { act: 'halt', id }                          ends what that draws, at its next step
// It answers { id, told: 'stage' | 'run' | 'done' | 'failed', ... }.
import { drawn, quick } from './drawing.js';
import { forgetOthers } from './files.js';
import { Graphs } from './graphs.js';
import { levelsOf } from './picture.js';
import { framesOf } from './models.js';
import { fromQuery, readQuery } from './request.js';

let graphs = null;
let checked = false;
const halts = new Map(); // by what is being drawn or waits for it
let last = Promise.resolve(); // draws follow each other

const requestOf = (query) => fromQuery(readQuery(query), Object.keys(graphs.manifest.models)).request;

// Draws the stored request, and an Error where a value is more than a level off.
async function check() {
  const { manifest } = graphs;
  const request = requestOf(manifest.check.query);
  for (const name of manifest.pair) {
    let frame;
    for await (frame of framesOf(graphs, name, manifest.models[name], request));
    const wanted = Uint8Array.from(atob(manifest.check.pictures[name]), (character) => character.charCodeAt(0));
    const off = levelsOf(frame.predicted).reduce((most, level, index) => Math.max(most, Math.abs(level - wanted[index])), 0);
    if (off > 1) throw new Error(`its ${manifest.models[name].title} is ${off} levels off`);
  }
}

async function load({ id, base, manifest, names }) {
  graphs ??= new Graphs(manifest, (url) => new URL(url, base).href);
  const lacking = graphs.lacking(names);
  const [total, size] = ['packed', 'size'].map((kind) => lacking.reduce((sum, file) => sum + file[kind], 0));
  let come = 0;
  await graphs.load(names, (bytes) => {
    come += bytes;
    postMessage({ id, told: 'stage', share: Math.min(1, come / size), total });
  });
  postMessage({ id, told: 'stage', share: 1, total });
  if (!checked) await check();
  if (!checked) forgetOthers([...Object.values(manifest.runtime), ...Object.values(graphs.files)].map(({ url }) => graphs.at(url)));
  checked = true;
  postMessage({ id, told: 'done' });
}

async function draw({ id, query, moving, key }) {
  const request = requestOf(query);
  const halt = halts.get(id);
  if (halt.now) return;
  const asked = moving ? quick(request) : request;
  for await (const run of drawn(graphs.manifest, graphs, asked, { moving, halt, key })) {
    postMessage({ id, told: 'run', run });
  }
  postMessage({ id, told: 'done' });
}

async function answer(act, data) {
  try {
    await act(data);
  } catch (error) {
    postMessage({ id: data.id, told: 'failed', reason: String(error?.message ?? error) });
  }
}

onmessage = ({ data }) => {
  const { act, id } = data;
  if (act === 'load') answer(load, data);
  if (act === 'halt' && halts.has(id)) halts.get(id).now = true;
  if (act !== 'draw') return;
  halts.set(id, { now: false });
  last = last.then(() => answer(draw, data)).then(() => halts.delete(id));
};
