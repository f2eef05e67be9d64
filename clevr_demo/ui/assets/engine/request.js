// A request as a link carries it, there and back, with the notes that Python has for what is wrong with it.
import {
  DEFAULT_STEPS, MAX_PICTURES, MAX_SEED, MAX_STEPS, MOST_NAMED, MOST_TEXT, NAME, OBJECTS, PAIR, SAMPLERS, SOURCES, VERSION,
} from './constants.js';
import { nearest } from './near.js';
import { InputError, indexOf, slug } from './objects.js';
import { centreOf } from './places.js';
import { cut, floatOf, intOf, longer, shown, strip, unquoted } from './text.js';

/**
 * @typedef {Object} Request everything that decides a picture
 * @property {number[]} objects indices, ascending
 * @property {number} seed @property {number} steps @property {string} sampler @property {number} pictures
 * @property {string[]} duel two contenders' names, or none
 * @property {number[][]} places [object, row, column] in half pixels, ascending by object, of those that are given
 * @property {Array} seeds [source, seed] of sources of noise with a seed of their own
 */
const DEFAULT = { objects: [], seed: 0, steps: DEFAULT_STEPS, sampler: SAMPLERS[0], pictures: 1, duel: [], places: [], seeds: [] };
const CONTENDER = new RegExp(`^(?:${NAME})$`);

/** The seed of a source of noise. */
export const seedOf = (request, source) => new Map(request.seeds).get(source) ?? request.seed;

/** The request as pairs of readable strings. */
export function fieldsOf(request) {
  const { objects, seed, steps, sampler, pictures, duel, places, seeds } = request;
  const found = [
    ['v', places.length || seeds.length ? '2' : '1'], ['objects', objects.map(slug).join()],
    ['seed', String(seed)], ['steps', String(steps)], ['sampler', sampler],
  ];
  if (pictures !== 1) found.push(['pictures', String(pictures)]);
  if (duel.length) found.push(['duel', duel.join()]);
  if (places.length) found.push(['at', places.map(([object, row, column]) => `${slug(object)}:${row}:${column}`).join()]);
  return [...found, ...seeds.map(([source, own]) => [`seed-${source}`, String(own)])];
}

const encoded = (text) => encodeURIComponent(text)
  .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
  .replaceAll('%2C', ',').replaceAll('%3A', ':');

/** The link's query, without "?": the fields and, per contender, the fingerprint of the weights. */
export function queryOf(request, weights = {}) {
  const pairs = new Map([...fieldsOf(request), ...Object.entries(weights)]);
  return [...pairs].map(([name, value]) => `${encoded(name)}=${encoded(value)}`).join('&');
}

/** The fields of a query's text; of one that is there several times the last counts, but objects and places add up. */
export function readQuery(text) {
  const plain = cut(text, MOST_TEXT).replace(/&(amp;|#38;|#x26;)+/gi, '&');
  const pairs = plain.replace(/^\?/, '').split('&').filter(Boolean).map((pair) => {
    const [name, ...value] = pair.split('=');
    return [strip(unquoted(name)).toLowerCase(), unquoted(value.join('='))];
  });
  const fields = new Map(pairs);
  for (const list of ['objects', 'at']) {
    if (fields.has(list)) fields.set(list, pairs.filter(([name]) => name === list).map(([, value]) => value).join());
  }
  return fields;
}

function whole(field, text, low, high) {
  const value = intOf(text);
  if (value === null) throw new InputError(`${field} ${shown(text)} is not a number`);
  if (value < low || value > high) throw new InputError(`${field} must be between ${low} and ${high}, not ${shown(value)}`);
  return Number(value);
}

function samplerOf(text) {
  const name = text.toLowerCase();
  if (!SAMPLERS.includes(name)) throw new InputError(`unknown sampler ${shown(name)}; choose one of ${SAMPLERS.join(', ')}`);
  return name;
}

function duelOf(text) {
  const names = text.toLowerCase().split(',');
  const fits = names.length === 2 && names[0] !== names[1] && names.every((name) => CONTENDER.test(name));
  if (!fits) throw new InputError(`a duel is two different contenders' names, not ${shown(names)}`);
  return names;
}

const SEED_FIELDS = SOURCES.map((source) => `seed-${source}`);
const PARSERS = new Map([
  ['seed', (text) => whole('seed', text, 0, MAX_SEED)],
  ['steps', (text) => whole('steps', text, 1, MAX_STEPS)],
  ['sampler', samplerOf],
  ['pictures', (text) => whole('pictures', text, 1, MAX_PICTURES)],
  ['duel', duelOf],
  ...SEED_FIELDS.map((field) => [field, (text) => whole(field, text, 0, MAX_SEED)]),
]);
const FIELDS = ['v', 'objects', 'at', ...PARSERS.keys()];

// Notes on fields that a link of ours does not have, where one that it lacks is near.
function misspelt(query, known) {
  const fields = [...FIELDS.slice(1), 'grid', 'rows', 'columns'].filter((name) => !query.has(name));
  const strangers = [...query.keys()].filter((name) => !FIELDS.includes(name) && !known.includes(name) && !name.startsWith('_'));
  return strangers.slice(0, MOST_NAMED).flatMap((name) => {
    const near = nearest(cut(name, 24), fields, 0.75);
    return near ? [`The link's ${shown(name)} was not understood; did you mean '${near}'?`] : [];
  });
}

// What a link's list says, part by part, as `read` reads it; bad parts are left out, with a note.
function parts(text, read, thing, fault, notes) {
  const all = cut(text, MOST_TEXT).split(',').map(strip).filter(Boolean);
  const some = all.slice(0, OBJECTS.length);
  const found = [];
  let bad = 0;
  for (const part of some) {
    try {
      found.push(read(part));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      bad += 1;
      if (bad <= MOST_NAMED) notes.push(`${error.message}${error.message.endsWith('?') ? '' : '.'} It was left out.`);
    }
  }
  if (bad > MOST_NAMED) notes.push(`${bad - MOST_NAMED} more ${thing}s are ${fault}; they were left out.`);
  if (all.length > OBJECTS.length || longer(text, MOST_TEXT)) {
    notes.push(`The link names more than ${OBJECTS.length} objects; only its first ${some.length} ${thing}s were read.`);
  }
  return found;
}

// The place in "red-cube:30.5:12", as a request has it.
function placeOf(part, objects) {
  const [name, ...numbers] = part.split(':');
  const read = numbers.map(floatOf);
  const object = indexOf(name);
  if (!objects.includes(object)) {
    throw new InputError(`the ${OBJECTS[object]} has a place but is not among the objects that are asked for`);
  }
  return [object, ...centreOf(OBJECTS[object], read.includes(null) ? [] : read)];
}

const ascending = (numbers) => [...new Set(numbers)].sort((one, other) => one - other);

/**
 * What a link's query or a picture's metadata asks for; never an error.
 * @param {Map<string, string>} query as `readQuery` reads it
 * @param {string[]} known the contenders there are
 * @returns {{request: Request, notes: string[], weights: Object<string, string>}} the request may have no objects; notes
 *   say which fields were bad and what stands in
 */
export function fromQuery(query, known = PAIR) {
  const notes = [];
  const version = query.get('v') ?? '1';
  if (!['1', String(VERSION)].includes(version)) {
    const told = longer(version, 9) ? shown(version) : version;
    notes.push(`The link is of version ${told}, this page of version ${VERSION}; fields may differ.`);
  }
  notes.push(...misspelt(query, known));
  const isLink = ['objects', ...PARSERS.keys()].some((field) => query.has(field));
  for (const field of ['seed', 'steps']) if (isLink && !query.has(field)) notes.push(`The link names no ${field}; ${DEFAULT[field]} is used.`);
  const good = read(query, notes);
  const seeds = SOURCES.filter((source) => `seed-${source}` in good).map((source) => [source, good[`seed-${source}`]]);
  const stranger = good.duel?.find((name) => !known.includes(name));
  if (stranger !== undefined) {
    notes.push(`The link names ${shown(stranger)}, which does not draw here; the usual two do.`);
    delete good.duel;
  }
  if (query.has('guidance')) notes.push('The link asks for guidance, which the DDPM no longer needs; it was left out.');
  const objects = ascending(parts(query.get('objects') ?? '', indexOf, 'name', 'unknown', notes));
  const every = parts(query.get('at') ?? '', (part) => placeOf(part, objects), 'place', 'wrong', notes);
  const given = new Map(every.map((place) => [place[0], place]));
  const places = ascending(given.keys()).map((object) => given.get(object));
  const twice = places.filter(([object]) => every.filter(([other]) => other === object).length > 1);
  notes.push(...twice.map(([object]) => `The link has several places for the ${OBJECTS[object]}; the last one is used.`));
  const { seed, steps, sampler, pictures, duel } = { ...DEFAULT, ...good };
  if (isLink && !objects.length) notes.push('The link names no object that can be drawn.');
  const weights = Object.fromEntries(known.filter((name) => query.has(name)).map((name) => [name, cut(query.get(name), 16)]));
  return { request: { objects, seed, steps, sampler, pictures, duel, places, seeds }, notes, weights };
}

// The good ones of a link's fields, by their names in the link; of bad ones a note.
function read(query, notes) {
  const good = {};
  for (const [field, parser] of PARSERS) {
    if (!query.has(field)) continue;
    try {
      good[field] = parser(cut(query.get(field), MOST_TEXT));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      const usual = field === 'duel' ? 'the usual one' : SEED_FIELDS.includes(field) ? 'the seed of the rest' : DEFAULT[field];
      notes.push(`${error.message}; ${usual} is used.`);
    }
  }
  return good;
}
