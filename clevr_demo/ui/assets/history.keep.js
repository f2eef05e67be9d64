(run, kept) => {
  // A finished run goes to the front without its timeline; the same request stands there once.
  const list = Array.isArray(kept) ? kept : [];
  if (run?.state !== 'done' || list.some((one) => one.key === run.key)) return [list];
  const last = ({ last, seconds, evaluations }) => ({ frames: [], last: { ...last, xt: undefined }, seconds, evaluations });
  const pairs = run.pairs.map(({ seed, ddpm, acgan }) => ({ seed, ddpm: last(ddpm), acgan: last(acgan) }));
  return [[{ ...run, pairs }, ...list.filter((one) => one.query !== run.query)].slice(0, 12)];
}
