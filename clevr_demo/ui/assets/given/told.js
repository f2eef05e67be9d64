(given) => {
  // What a link or a picture brought that no control shows.
  const fields = new URLSearchParams(given);
  const at = (fields.get('at') ?? '').split(',').filter(Boolean).map((part) => part.split(':'));
  const places = at.map(([name, row, column]) => `${name.replaceAll('-', ' ')} ${row}, ${column}`);
  const noise = [...fields].filter(([name]) => name.startsWith('seed-')).map(([name, seed]) => `${name.slice(5)} ${seed}`);
  const told = [];
  if (places.length) told.push(`Given places (row, column): ${places.join('; ')}. Unticking or Clear lets them go.`);
  if (noise.length) told.push(`Seeds of their own: ${noise.join(', ')}. Another seed or Clear lets them go.`);
  return [told];
}
