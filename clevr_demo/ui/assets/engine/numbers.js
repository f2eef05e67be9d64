// Numbers as Python rounds and writes them: a tie goes to the even neighbour.

/** `round(value)` */
export function halfEven(value) {
  const below = Math.floor(value);
  const past = value - below;
  if (past === 0.5) return below % 2 ? below + 1 : below;
  return past < 0.5 ? below : below + 1;
}

/** `round(value, 1)`: of the double itself, in which odd quarters alone are ties. */
export function tenths(value) {
  return Math.abs(4 * value) % 2 === 1 ? halfEven(10 * value) / 10 : Number(value.toFixed(1));
}

/** `f"{count:,}"` */
export function thousands(count) {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}
