// What the judge says of one picture: which of the detector's candidates count, and the verdict on them in words.
import { ALL, BEYOND, MAX_JUDGED, OBJECTS, TIMES } from './constants.js';
import { halfEven, tenths } from './numbers.js';
import { listed } from './words.js';

/**
 * @typedef {{object: number, row: number, column: number, confidence: number}} Found
 *   One object that is seen: its index, its centre in pixels of the picture, and how sure the detector is, 0 to 1.
 */

const square = (value) => value * value;

/**
 * Of a picture's peaks those that count: above the threshold, and so many pixels apart from any surer one.
 * @param {Float32Array} candidates (24, 4) confidence, row, column and class, the surest first: the detector's graph
 * @param {{threshold: number, apart: number}} settings the detector's
 * @returns {Found[]}
 */
export function chosen(candidates, { threshold, apart }) {
  const kept = [];
  for (let start = 0; start < candidates.length; start += 4) {
    const [confidence, row, column, object] = candidates.subarray(start, start + 4);
    if (confidence < threshold) break;
    const off = (one) => square(row - one.row) + square(column - one.column) >= square(apart);
    if (kept.every(off)) kept.push({ object, row, column, confidence });
  }
  return kept;
}

/**
 * What is found beside what was asked for.
 * @param {number[]} requested indices, ascending
 * @param {Found[]} found doubles as two entries
 * @returns {{counts: Object<string, number>, missing: string[], doubled: string[], extra: string[], exact: boolean,
 *   sentence: string}} names in the vocabulary's order; extra are unwanted objects, and wanted ones found more than once
 */
export function verdictOf(requested, found) {
  const names = requested.map((object) => OBJECTS[object]);
  const counts = {};
  for (const [object, name] of OBJECTS.entries()) {
    const times = found.filter((one) => one.object === object).length;
    if (times) counts[name] = times;
  }
  const missing = names.filter((name) => !counts[name]);
  const doubled = names.filter((name) => counts[name] > 1);
  const extra = Object.keys(counts).filter((name) => !names.includes(name) || doubled.includes(name));
  const verdict = { counts, missing, doubled, extra, exact: !missing.length && !extra.length };
  return { ...verdict, sentence: sentence(names, verdict) };
}

function sentence(names, { counts, missing, doubled }) {
  const asked = names.length;
  const drawn = asked - missing.length;
  if (asked > MAX_JUDGED && missing.length) return `At least ${drawn} of ${asked} drawn: ${BEYOND}`;
  const counted = (name) => (counts[name] === 1 ? name : `${name} ${TIMES[counts[name]] ?? `${counts[name]} times`}`);
  const unwanted = Object.keys(counts).filter((name) => !names.includes(name));
  const faults = [...doubled.map(counted), ...(unwanted.length ? [`also ${listed(unwanted.map(counted))}`] : [])];
  if (missing.length) return `${drawn} of ${asked} drawn: ${[`${listed(missing)} missing`, ...faults].join(', ')}`;
  if (faults.length) return `${drawn} drawn, but ${faults.join(', ')}`;
  return `${ALL[asked] ?? `All ${asked} drawn`}, nothing else`;
}

/**
 * How many of the k requested objects are among the k that the classifier holds most probable: the course's measure.
 * @param {number[]} probabilities (24,)
 */
export function hitsOf(requested, probabilities) {
  const ranked = [...probabilities.keys()].sort((one, other) => probabilities[other] - probabilities[one]);
  return ranked.slice(0, requested.length).filter((object) => requested.includes(object)).length;
}

/**
 * A verdict as the page's frames have it: `found` is [object, row, column in pixels, per mille of confidence], `told` the
 * sentence; `hits` is the course's measure, where the classifier was asked.
 * @param {number[]} [probabilities] (24,)
 */
export function compact(requested, found, probabilities) {
  const { exact, sentence: told } = verdictOf(requested, found);
  const seen = found.map(({ object, row, column, confidence }) => [object, tenths(row), tenths(column), halfEven(1000 * confidence)]);
  return { ...(probabilities && { hits: hitsOf(requested, probabilities) }), exact, found: seen, told };
}
