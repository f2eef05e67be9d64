(given) => {
  // What a link or a picture brought that neither a control nor a mark shows.
  const noise = [...new URLSearchParams(given)].filter(([name]) => name.startsWith('seed-'));
  const told = noise.map(([name, seed]) => `${name.slice(5)} ${seed}`);
  return [told.length ? [`Seeds of their own: ${told.join(', ')}. Another seed or Clear lets them go.`] : []];
}
