// Requests without a page: a list of what stands in the controls, in their order, and the link's query that says the same.
// [objects' names, seed, steps, sampler, pictures, duel, given], of which `given` is what no control shows, as in links.
const GIVEN = 6;
const NUMBERS = ['seed', 'steps', 'sampler', 'pictures', 'duel'];
const USUAL_OF = { pictures: '1' };
const slugOf = (name) => name.replaceAll(' ', '-');
const nameOf = (slug) => slug.replaceAll('-', ' ');
const listOf = (text) => (text ?? '').split(',').filter(Boolean);
const isSeed = ([name]) => name.startsWith('seed-');

// The given places of a list, [row, column] by an object's name.
function pinsOf(values) {
  const at = listOf(new URLSearchParams(values[GIVEN] ?? '').get('at')).map((part) => part.split(':'));
  return new Map(at.map(([slug, row, column]) => [nameOf(slug), [Number(row), Number(column)]]));
}

// The list with these objects and given places, both in the order of `names`, as links have them.
function withScene(values, objects, pins, names) {
  const fields = new URLSearchParams(values[GIVEN] ?? '');
  const ticked = names.filter((name) => objects.includes(name));
  const at = ticked.filter((name) => pins.has(name)).map((name) => [slugOf(name), ...pins.get(name)].join(':'));
  const given = new URLSearchParams([...(at.length ? [['at', at.join()]] : []), ...[...fields].filter(isSeed)]);
  return [ticked, ...values.slice(1, GIVEN), String(given)];
}

// The list with another seed for one source of noise; null gives it back to the request's own.
function withSeed(values, source, seed) {
  const fields = new URLSearchParams(values[GIVEN] ?? '');
  if (seed === null) fields.delete(`seed-${source}`);
  else fields.set(`seed-${source}`, seed);
  return [...values.slice(0, GIVEN), String(fields)];
}

function queryOf(values) {
  const numbers = NUMBERS.map((name, place) => [name, String(values[place + 1] ?? '')]);
  const given = [...new URLSearchParams(values[GIVEN] ?? '')].sort();
  const said = [['objects', (values[0] ?? []).map(slugOf).sort().join()], ...numbers, ...given];
  return String(new URLSearchParams(said.filter(([name, value]) => value && value !== USUAL_OF[name])));
}

function valuesOf(query) {
  const fields = new URLSearchParams(query);
  const numbers = NUMBERS.map((name) => fields.get(name) ?? USUAL_OF[name] ?? '');
  const given = new URLSearchParams([...fields].filter((field) => field[0] === 'at' || isSeed(field)));
  const plain = numbers.map((text) => (/^\d+$/.test(text) ? Number(text) : text));
  return [listOf(fields.get('objects')).map(nameOf), ...plain, String(given)];
}

// Whether a link's query asks for what stands in the controls.
const asksFor = (query, values) => queryOf(valuesOf(query)) === queryOf(values);
