// Words that the page's scripts and the engine share; plain functions of plain values.
import { halfEven, tenths, thousands } from './numbers.js';

/** "1 pass", "20 passes", "1,200 steps" */
export function many(count, thing) {
  const plural = thing + (thing.endsWith('s') ? 'es' : 's');
  return `${thousands(count)} ${count === 1 ? thing : plural}`;
}

/** Names as they are read out: "a, b and c" */
export function listed(names) {
  if (names.length < 2) return names.join('');
  return `${names.slice(0, -1).join(', ')} and ${names[names.length - 1]}`;
}

/** "8 ms", "1.4 s", "25 s", "3 min" */
export function duration(seconds) {
  if (seconds < 0.995) return `${halfEven(1000 * seconds)} ms`;
  if (seconds < 9.95) return `${tenths(seconds).toFixed(1)} s`;
  return seconds < 99.5 ? `${halfEven(seconds)} s` : `${halfEven(seconds / 60)} min`;
}
