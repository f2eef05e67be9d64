// Where objects stand: given places as requests have them, what is unusual about them, and how others give way to them.
import { GROUND, NEAREST, OBJECTS, SIZE } from './constants.js';
import { halfEven } from './numbers.js';
import { InputError } from './objects.js';
import { shown } from './text.js';

/**
 * A given place in half pixels, [row, column]; an InputError where it is none, or lies outside the picture.
 * @param {string} name of the object
 * @param {number[]} place row and column in pixels
 */
export function centreOf(name, place) {
  if (place.length !== 2 || place.some(Number.isNaN)) {
    throw new InputError(`the place of the ${name} must be two numbers, row and column, not ${shown(place)}`);
  }
  if (!place.every((value) => value >= 0 && value <= SIZE - 1)) {
    const told = `rows and columns are 0 to ${SIZE - 1}, not ${shown(place)}`;
    throw new InputError(`the place of the ${name} lies outside the picture: ${told}`);
  }
  return place.map((value) => halfEven(2 * value) / 2);
}

/** Whether [row, column] lies on the ground that the data's objects cover, a square seen from above one of its corners. */
export function onGround([row, column]) {
  return GROUND.every(([fromRow, fromColumn], corner) => {
    const [toRow, toColumn] = GROUND[(corner + 1) % GROUND.length];
    return (toColumn - fromColumn) * (row - fromRow) - (toRow - fromRow) * (column - fromColumn) >= 0;
  });
}

/**
 * Names of given places' objects that are unusual.
 * @param {number[][]} places of [object, row, column], ascending, as a request gives them
 * @returns {{near: string[], beyond: string[]}} nearer to another given one than `NEAREST`; off the ground
 */
export function unusual(places) {
  const near = ([object, row, column]) => places.some((one) => one[0] !== object && Math.hypot(one[1] - row, one[2] - column) < NEAREST);
  const names = (some) => some.map(([object]) => OBJECTS[object]);
  return { near: names(places.filter(near)), beyond: names(places.filter(([, row, column]) => !onGround([row, column]))) };
}

// Pixels between two centres, in float32 as there.
function between([row, column], [otherRow, otherColumn]) {
  return Math.fround(Math.hypot(Math.fround(row - otherRow), Math.fround(column - otherColumn)));
}

/**
 * Pixels between the nearest two of centres that are not both fixed; Infinity where there are no two.
 * @param {number[][]} centres (K, 2) rows and columns
 * @param {boolean[]} fixed (K,)
 */
export function room(centres, fixed) {
  let least = Infinity;
  for (let one = 0; one < centres.length; one += 1) {
    for (let other = 0; other < one; other += 1) {
      if (!(fixed[one] && fixed[other])) least = Math.min(least, between(centres[one], centres[other]));
    }
  }
  return least;
}

/**
 * The first try in which the chosen objects, those that are not fixed, keep `NEAREST` pixels off every other; where none
 * does, the one that has the most room.
 * @param {AsyncIterable|Iterable} tries of {centres: (K, 2), ...}
 * @param {boolean[]} fixed (K,)
 */
export async function givingWay(tries, fixed) {
  let best;
  let most = -1;
  for await (const one of tries) {
    const here = room(one.centres, fixed);
    if (here > most) [most, best] = [here, one];
    if (most >= NEAREST) break;
  }
  return best;
}

/**
 * What the painters' graphs are told of a layout.
 * @param {number[]} objects (K,) indices
 * @param {number[][]} centres (K, 2)
 * @returns {{centres: Float32Array, labels: Float32Array}} (24, 2) by the objects' indices, zero for absent ones; (24,)
 */
export function byObject(objects, centres) {
  const told = { centres: new Float32Array(2 * OBJECTS.length), labels: new Float32Array(OBJECTS.length) };
  objects.forEach((object, number) => {
    told.centres.set(centres[number], 2 * object);
    told.labels[object] = 1;
  });
  return told;
}
