// The vocabulary as links name it, and what is said of a name that is none.
import { MOST_TEXT, NEAR, OBJECTS } from './constants.js';
import { nearest } from './near.js';
import { cut, longer, shown, split } from './text.js';

/** What cannot be drawn; its message names the culprit. */
export class InputError extends Error {}

/** The object's name as it stands in a link: "red-cube" */
export const slug = (index) => OBJECTS[index].replace(' ', '-');

/** Index of an object by its name, of any case, with blanks, "-" or "_" between the words; an InputError otherwise. */
export function indexOf(label) {
  const name = split(cut(label, MOST_TEXT).toLowerCase().replace(/[-_]/g, ' ')).join(' ');
  const index = OBJECTS.indexOf(name);
  if (index >= 0) return index;
  const near = longer(name, 40) ? undefined : nearest(name, OBJECTS, NEAR);
  throw new InputError(`unknown object ${shown(label)}${near ? `; did you mean '${near}'?` : ''}`);
}
