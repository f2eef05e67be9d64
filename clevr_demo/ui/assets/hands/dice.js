// Dice under one's hands: one rolls the seed of a single source of noise, or gives it back to the request's own.
const ROLLS = 10_000; // as many seeds a die has: short enough to be read on it
const OWNS = new Map(props.sources.map(({ name, title, owns }) => [name, { title, owns }]));

// What is said above the pictures of the last roll, for as long as that is what is asked for.
const rolled = { values: null, text: '' };
const rollWords = () => (rolled.values && sameRequest(rolled.values, scene()) ? rolled.text : '');

function rollTo(source, seed) {
  finish();
  const before = scene();
  const { title, owns } = OWNS.get(source);
  const every = source === 'places' && before[0].every((name) => pinsOf(before).has(name));
  const wanted = withSeed(before, source, seed);
  hand.steps = noted(hand.steps, before);
  const fixed = every ? ' All places are given now, so nothing moves: let the models place one.' : ' The rest stays.';
  const how = seed === null ? "follow the request's seed again" : `rolled to ${seed}`;
  Object.assign(rolled, { values: wanted, text: `${title} ${how}: ${owns}${fixed}` });
  if (!sameRequest(before, wanted)) settle(wanted);
  say(rolled.text);
}

const roll = (source) => rollTo(source, Math.floor(Math.random() * ROLLS));

document.addEventListener('click', (event) => {
  const { roll: source, unroll } = event.target.closest('#duel .dice button')?.dataset ?? {};
  if (source) roll(source);
  if (unroll) rollTo(unroll, null);
});
