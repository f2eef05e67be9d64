// What it takes to draw a request; the page asks this as well, before it asks the engine.

/** The name of the graph that paints in so many steps, or undefined where none does. */
export function painterOf({ kind, settings, graphs }, { steps, sampler }) {
  if (kind === 'acgan') return 'painter';
  if (sampler !== 'dpm') return undefined;
  return ['fast', 'painter'].find((name) => graphs[name]?.steps[steps] && (name !== 'fast' || steps === settings.fast_steps));
}

/** The graphs of a manifest by name, each with its file. */
export function graphsOf({ models, judge }) {
  const owners = [...Object.entries(models).map(([name, { graphs }]) => [name, graphs]), ['judge', judge]];
  return Object.fromEntries(owners.flatMap(([owner, graphs]) => Object.entries(graphs).filter(([, file]) => file).map(([name, file]) => [`${owner}/${name}`, file])));
}

/**
 * The graphs that a request needs, or null where a browser cannot draw it.
 * @param {Object} manifest
 * @param {{duel: string[], steps: number, sampler: string}} request
 * @param {boolean} course whether finished pictures are judged by the classifier, too
 * @returns {string[]|null} names: "ddpm/fast"
 */
export function needsOf(manifest, request, course) {
  const found = ['judge/detector', ...(course && manifest.judge.classifier ? ['judge/classifier'] : [])];
  for (const name of request.duel.length ? request.duel : manifest.pair) {
    const model = manifest.models[name];
    const painter = model && painterOf(model, request);
    if (!painter) return null;
    found.push(`${name}/planner`, `${name}/${painter}`);
  }
  return found;
}
