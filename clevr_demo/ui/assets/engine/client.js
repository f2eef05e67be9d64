// The page's side of the engine, one for all components of the page: gets it when it is wanted, and asks it for runs.
// What fails once is over for this page: the server draws, and that is told once.
import { graphsOf, needsOf } from './needs.js';

export const engine = (globalThis.clevrEngine ??= (() => {
  const base = new URL('engine/', location.origin + location.pathname).href;
  const state = { stage: 'none', share: 0, total: 0, reason: '', manifest: null, loaded: new Set() };
  const open = new Map(); // what was asked of the worker and not answered yet
  const tried = new Set(); // names of graphs: none is got twice
  let worker = null;
  let asked = 0;
  let wanted = Promise.resolve(); // what is being got, one thing after the other

  function told(change) {
    Object.assign(state, change);
    document.dispatchEvent(new CustomEvent('engine:told'));
  }

  function off(reason) {
    if (state.stage === 'off') return;
    worker?.terminate();
    for (const { reject } of open.values()) reject(new Error(reason));
    open.clear();
    console.warn(`The engine of this page is off: ${reason}`);
    told({ stage: 'off', reason });
  }

  function ask(message, heard = () => {}) {
    return new Promise((resolve, reject) => {
      if (state.stage === 'off') return reject(new Error(state.reason));
      asked += 1;
      open.set(asked, { resolve, reject, heard });
      worker.postMessage({ ...message, id: asked });
    });
  }

  function hear({ data }) {
    const one = open.get(data.id);
    if (['done', 'failed'].includes(data.told)) open.delete(data.id);
    if (data.told === 'failed') one?.reject(new Error(data.reason));
    else if (data.told === 'done') one?.resolve();
    else one?.heard(data);
  }

  // What there is to be got.
  async function look() {
    const answer = await fetch(`${base}manifest.json`);
    if (!answer.ok) throw new Error(`no manifest (${answer.status})`);
    const manifest = await answer.json();
    if (manifest.missing) throw new Error(manifest.missing.replace(/\.$/, ''));
    return manifest;
  }

  async function start() {
    const manifest = await look();
    worker = new Worker(new URL(manifest.worker, base), { type: 'module' });
    worker.onmessage = hear;
    worker.onerror = (event) => off(event.message || 'its script cannot be run');
    state.manifest = manifest;
  }

  // What a link's query says of who draws, and how; of what moves, as it is drawn meanwhile.
  function askedBy({ few }, query, moving) {
    const fields = new URLSearchParams(query);
    const duel = (fields.get('duel') ?? '').split(',').filter(Boolean);
    const steps = Number(fields.get('steps') ?? NaN);
    return moving ? { duel, steps: Math.min(steps, few), sampler: 'dpm' } : { duel, steps, sampler: fields.get('sampler') };
  }

  const needs = (query, moving, course, manifest = state.manifest) => needsOf(manifest, askedBy(manifest, query, moving), course);
  const notLoaded = (names) => names?.filter((name) => !state.loaded.has(name)) ?? null;

  async function get(query, moving) {
    if (state.stage === 'off') return;
    if (!state.manifest) await start();
    const names = notLoaded(needs(query, moving, !moving))?.filter((name) => !tried.has(name));
    if (!names?.length) return;
    const first = !tried.size;
    for (const name of names) tried.add(name);
    if (first) told({ stage: 'loading' });
    const heard = ({ share, total }) => told({ share, total, ...(first && { stage: share < 1 ? 'loading' : 'checking' }) });
    try {
      await ask({ act: 'load', base, manifest: state.manifest, names }, heard);
    } catch (error) {
      if (first) throw error;
      told({ share: 1 });
      return console.warn(`More of this page's engine could not be got: ${error.message}`);
    }
    for (const name of names) state.loaded.add(name);
    told({ stage: 'ready' });
  }

  return {
    state,
    // Gets what a request needs, if that is not on its way; resolves when it is there, or cannot be had.
    want(query, moving) {
      const all = async () => {
        await get(query, true); // what draws while objects are moved comes first, and may be enough
        if (!moving) await get(query, false);
      };
      wanted = wanted.then(all).catch((error) => off(error.message));
      return wanted;
    },
    // About how many bytes `want` would get, where nothing is kept yet; null where this browser cannot draw the request, of
    // which nothing is said.
    async size(query) {
      const manifest = state.manifest ?? (await look().catch(() => null));
      if (state.stage === 'off' || !manifest || !needs(query, false, false, manifest)) return null;
      const names = new Set([true, false].flatMap((moving) => needs(query, moving, !moving, manifest)));
      const files = [...(worker ? [] : Object.values(manifest.runtime)), ...notLoaded([...names]).map((name) => graphsOf(manifest)[name])];
      return files.reduce((sum, { packed }) => sum + packed, 0);
    },
    can: (query, moving) => state.stage === 'ready' && notLoaded(needs(query, moving, false))?.length === 0,
    // The last run of a request; `shown` is given every one on the way. `halted` ends it.
    async draw(query, moving, shown = () => {}, halted = null) {
      let last = null;
      const key = `own-${crypto.getRandomValues(new Uint32Array(2)).join('')}`;
      const answered = ask({ act: 'draw', query, moving, key }, ({ run }) => shown((last = run)));
      const id = asked;
      halted?.addEventListener('abort', () => worker.postMessage({ act: 'halt', id }));
      await answered.catch((error) => {
        off(error.message);
        throw error;
      });
      return last;
    },
  };
})());
