// What the page says of a request, its cost and its result, as `serve.wording` says it.
import { MAX_TRAINED, OBJECTS, SAMPLER_NAMES, SOON } from './constants.js';
import { halfEven, thousands } from './numbers.js';
import { unusual } from './places.js';
import { duration, many } from './words.js';

/** A request in words. */
export function asked({ objects, seed, steps, sampler, pictures, places, seeds }) {
  const names = objects.map((object) => OBJECTS[object]).join(', ');
  const told = [`${names}. Seed ${seed}, ${many(steps, 'step')}, ${SAMPLER_NAMES[sampler]}, ${many(pictures, 'picture')}.`];
  if (places.length) {
    const given = places.map(([object, row, column]) => `${OBJECTS[object]} ${row}, ${column}`);
    told.push(`Given places (row, column): ${given.join('; ')}.`);
  }
  if (seeds.length) told.push(`Noise of its own: ${seeds.map(([source, own]) => `${source} from seed ${own}`).join(', ')}.`);
  return told.join(' ');
}

// "the red cube and the blue sphere"; of many the first three, and how many more.
function allOf(names) {
  let told = names.map((name) => `the ${name}`);
  if (told.length > 4) told = [...told.slice(0, 3), `${told.length - 3} more`];
  return [told.slice(0, -1).join(', '), told[told.length - 1]].filter(Boolean).join(' and ');
}

/** What is unusual about the places that a request gives, beside the training pictures' ones; mostly nothing. */
export function beyond({ places }) {
  const { near, beyond: off } = unusual(places);
  const told = [];
  if (near.length) told.push(`Places given to ${allOf(near)} are nearer to each other than in 99 of 100 training scenes.`);
  if (off.length) told.push(`Training pictures show nothing where ${allOf(off)} ${off.length === 1 ? 'is' : 'are'} to stand.`);
  return told.join(' ');
}

/** What a request asks for beyond what the training pictures hold; mostly nothing. */
export function warned(request) {
  const count = request.objects.length;
  const crowd = count > MAX_TRAINED ? `${count} objects are more than any training picture holds.` : '';
  return [crowd, beyond(request)].filter(Boolean).join(' ');
}

/** "1 pass, 8 ms" or, beside another's seconds, "20 passes, 310 ms: 39 times as long"; "" before the first. */
export function cost(passes, seconds, base = 0) {
  if (!passes) return '';
  const told = `${many(passes, 'pass')}, ${duration(seconds)}`;
  return base && seconds >= 1.5 * base ? `${told}: ${halfEven(seconds / base)} times as long` : told;
}

/** How far a run is; `secondsLeft` is null where that is not known. */
export function drawing(step, steps, number, pictures, secondsLeft) {
  const which = pictures > 1 ? `picture ${number} of ${pictures}, ` : '';
  const what = step ? `step ${step} of ${thousands(steps)}` : 'where the objects go';
  const left = secondsLeft !== null && secondsLeft >= SOON ? `, about ${duration(secondsLeft)} to go` : '';
  return `Drawing: ${which}${what}${left}`;
}

/**
 * The result of each contender: the judge's sentence, or over several pictures how many are exact.
 * @param {Object<string, {sentence: string, exact: boolean}[]>} verdicts by contender
 */
export function done(verdicts) {
  return Object.entries(verdicts).filter(([, seen]) => seen.length).map(([name, seen]) => {
    if (seen.length === 1) return `${name}: ${seen[0].sentence}.`;
    return `${name}: ${seen.filter(({ exact }) => exact).length} of ${seen.length} exact.`;
  }).join(' ');
}
