(given) => {
  // Another seed is one for all noise: what had a seed of its own follows it again.
  const fields = new URLSearchParams(given);
  for (const name of [...fields.keys()]) if (name.startsWith('seed-')) fields.delete(name);
  return [String(fields)];
}
