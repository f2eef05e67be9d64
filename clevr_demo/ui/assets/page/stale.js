(objects, seed, steps, sampler, pictures, duel, given, shown) => {
  // Do the pictures still show what stands in the controls? Where not, they dim and say so.
  globalThis.clevrChosen = { sampler, duel, given };
  const root = document.querySelector('#duel .duel');
  if (!root || !shown?.query) return [];
  const drawn = new URLSearchParams(shown.query);
  const asked = { seed, sampler, steps, pictures: pictures ?? 1, duel: duel ?? '' };
  const usual = { pictures: 1, duel: '' };
  const objectsDrawn = (drawn.get('objects') ?? '').split(',').sort().join();
  const objectsAsked = (objects ?? []).map((name) => name.replaceAll(' ', '-')).sort().join();
  const extras = (fields) => [...fields].filter(([name]) => name === 'at' || name.startsWith('seed-')).sort().join();
  const other =
    objectsDrawn !== objectsAsked ||
    extras(drawn) !== extras(new URLSearchParams(given ?? '')) ||
    Object.entries(asked).some(([name, value]) => String(drawn.get(name) ?? usual[name]) !== String(value));
  // Nothing ticked is nothing asked for yet: the example that greets a visitor stays bright.
  root.classList.toggle('stale', other && objectsAsked !== '' && shown.state !== 'drawing');
  return [];
}
