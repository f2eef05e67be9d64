// The networks: ONNX Runtime Web with one session a graph, one thread each, as it is on the server.
import { fetched } from './files.js';
import { graphsOf } from './needs.js';

const INTEGERS = { timestep: true, objects: true };

export class Graphs {
  /**
   * @param {Object} manifest
   * @param {(url: string) => string} at an address of the manifest, in full
   */
  constructor(manifest, at) {
    Object.assign(this, { manifest, at, files: graphsOf(manifest), sessions: new Map() });
  }

  /** Those of these files that are still to be had, with what the runtime takes: for telling how much that is. */
  lacking(names) {
    return [...(this.runtime ? [] : Object.values(this.manifest.runtime)), ...names.filter((name) => !this.sessions.has(name)).map((name) => this.files[name])];
  }

  /** Gets and opens the graphs of these names, one after the other. */
  async load(names, told = () => {}) {
    const file = (one) => fetched({ ...one, url: this.at(one.url) }, told);
    if (!this.runtime) {
      await WebAssembly.compile(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)); // an empty module: where that is forbidden, nothing is got
      const { 'runtime.js': script, 'runtime.wasm': binary } = this.manifest.runtime;
      const bytes = await file(binary);
      const code = URL.createObjectURL(new Blob([await file(script)], { type: 'text/javascript' })); // what was checked, not what a second request brings
      const runtime = await import(code);
      URL.revokeObjectURL(code);
      Object.assign(runtime.env.wasm, { numThreads: 1, proxy: false, wasmBinary: bytes.buffer });
      runtime.env.logLevel = 'error';
      this.runtime = runtime;
    }
    for (const name of names) {
      if (this.sessions.has(name)) continue;
      const bytes = await file(this.files[name]);
      this.sessions.set(name, await this.runtime.InferenceSession.create(bytes, { executionProviders: ['wasm'] }));
    }
  }

  /**
   * Runs a graph on one picture.
   * @param {Object<string, [ArrayLike<number>, number[]]>} inputs values and shape, without the batch's axis
   * @returns {Promise<Object<string, Float32Array>>} all outputs
   */
  async run(name, inputs) {
    const { Tensor } = this.runtime;
    const tensor = (input, [values, shape]) => (INTEGERS[input]
      ? new Tensor('int64', BigInt64Array.from(values, BigInt), [1, ...shape])
      : new Tensor('float32', values, [1, ...shape]));
    const fed = Object.entries(inputs).map(([input, value]) => [input, tensor(input, value)]);
    const outputs = Object.entries(await this.sessions.get(name).run(Object.fromEntries(fed)));
    const found = outputs.map(([output, made]) => [output, made.data]);
    for (const [, used] of [...fed, ...outputs]) used.dispose();
    return Object.fromEntries(found);
  }

  /** Frees the sessions; memory that the runtime has taken goes with the worker alone. */
  async release() {
    for (const session of this.sessions.values()) await session.release();
    this.sessions.clear();
  }
}
