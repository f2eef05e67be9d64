(index, kept) => {
  const run = (Array.isArray(kept) ? kept : [])[index];
  const button = { __type__: 'update', interactive: Boolean(run) };
  return run ? [{ ...run, key: `${run.key}-past` }, run.query, button] : [{}, '', button];
}
