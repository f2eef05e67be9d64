(objects, given) => {
  // Given places are of ticked objects: one that is unticked loses its own.
  const ticked = new Set((objects ?? []).map((name) => name.replaceAll(' ', '-')));
  const fields = new URLSearchParams(given);
  const at = (fields.get('at') ?? '').split(',').filter((part) => ticked.has(part.split(':')[0]));
  if (at.length) fields.set('at', at.join());
  else fields.delete('at');
  return [String(fields)];
}
