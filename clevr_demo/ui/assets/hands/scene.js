// The scene as hands have it: what is asked for, what is being moved, and what was before. All changes go through here.
const NAMES = props.names;
const VISITOR = [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16)).join('');
const SETTLED = 300; // milliseconds without a change after which what stands in the controls is a step to undo
const hand = {
  asked: props.usual, settled: props.usual, steps: undoFrom(props.usual), // of the controls: what stands there, what hands put there
  moving: null, sent: '', busy: false, // a move: { before, values, awaited }; the newest question to the server
  chosen: '', model: '', armed: false, // the mark that keys and buttons move, on whose picture, and whether a tap places it
  refused: false, // whether the last object was to leave
};
const opened = { byLink: new URLSearchParams(location.search.toLowerCase()).has('objects') };
const timers = { note: 0, finish: 0 };
const root = () => document.querySelector('#duel .duel');
const duel = () => root()?.duel;
const isHeld = () => root().classList.contains('held');
const lane = laneOf(paint, repainted);

// What stands in the controls or, where nothing is ticked, what the pictures were drawn of.
function scene() {
  const run = duel()?.run();
  return hand.asked[0]?.length || !run ? hand.asked : valuesOf(run.query);
}
const values = () => hand.moving?.values ?? scene();

// The marks of a model's picture: { name, place, given }; none while it forms.
function marksOf(model) {
  const { run, frames } = duel().filled();
  const frame = frames[model];
  if (!frame || frame.stage === 'where' || run.state === 'drawing' || root().classList.contains('guessing')) return [];
  const pins = pinsOf(values());
  const own = new Map(run.objects.map((object, place) => [NAMES[object], frame.places[place]]));
  const marks = values()[0].map((name) => ({ name, place: pins.get(name) ?? own.get(name), given: pins.has(name) }));
  return marks.filter(({ place }) => place);
}

function ask(wanted) {
  const others = (wanted[DUEL] || '') !== (duel().run()?.contenders?.join() ?? '');
  if (!wanted[0].length || others) return; // pictures of others than those who are seated wait for the full draw
  const [objects, seed, ...rest] = wanted; // of several pictures the one that is shown
  const query = queryOf([objects, Number(seed) + duel().chosen(), ...rest]);
  if (query !== hand.sent) lane.push(query);
  hand.sent = query;
}

function repainted({ run, rest }) {
  hand.busy = rest > 0;
  if (run && isHeld()) duel().preview(run);
  else changed();
}

function still() {
  lane.drop();
  hand.sent = '';
}

// Begins a move on a model's picture: from now on all its objects stay where they are.
function take(model) {
  if (hand.moving) return;
  const before = scene();
  const pins = new Map(marksOf(model).map(({ name, place }) => [name, halved(place)]));
  hand.moving = { before, values: withScene(before, before[0], pins, NAMES), awaited: isHeld() };
  hand.refused = false;
  still();
  duel().hold(() => false);
}

// Puts an object to a place, or with null off the scene.
function put(name, place) {
  const pins = pinsOf(hand.moving.values);
  if (place) pins.set(name, halved(place));
  const others = hand.moving.values[0].filter((one) => one !== name);
  hand.moving.values = withScene(hand.moving.values, place ? [...others, name] : others, pins, NAMES);
  ask(hand.moving.values);
  changed();
}

// Which runs may take the place of pictures that were moved by hand: the one that was asked for, or any that comes yet.
const drawnAs = (wanted) => (run) => ['done', 'stopped'].includes(run?.state) && asksFor(run.query, wanted);
function later() {
  const { key } = duel().run();
  return (run) => run?.pairs?.length > 0 && run.key !== key;
}

function cancel() {
  clearTimeout(timers.finish);
  if (!hand.moving) return;
  const { awaited } = hand.moving;
  hand.moving = null;
  still();
  duel().hold(awaited ? drawnAs(hand.asked) : null);
  if (awaited) ask(hand.asked);
  duel().show();
  changed();
}

// Ends a move: its request is drawn with its own steps.
function finish() {
  clearTimeout(timers.finish);
  if (!hand.moving) return;
  const { before, values: wanted } = hand.moving;
  if (!wanted[0].length) refuse();
  if (!wanted[0].length || sameRequest(before, wanted)) return cancel();
  hand.steps = noted(hand.steps, before); // the example, where it was that
  settle(wanted);
  const pin = pinsOf(wanted).get(hand.chosen);
  say(pin ? `${hand.chosen}: ${PLACE_WORDS(pin)}, placed by you.` : `${hand.chosen} is no longer in the scene.`);
}

// Puts a request into the controls and, if it is to be seen, draws it; the pictures stay until it is there.
function settle(wanted, draw = true) {
  Object.assign(hand, { moving: null, asked: wanted, settled: wanted, steps: noted(hand.steps, wanted), armed: false, refused: false });
  if (draw || isHeld()) duel().hold(draw ? drawnAs(wanted) : later());
  if (draw) ask(wanted);
  props.value = { values: wanted, draw };
  trigger('select');
  changed();
}

function refuse() {
  hand.refused = true;
  say(LAST);
  changed();
}

// One change at a time to what is asked for: places, objects.
function change(edit) {
  finish();
  const [objects, pins] = [[...scene()[0]], pinsOf(scene())];
  const kept = edit(objects, pins) ?? objects;
  const wanted = withScene(scene(), kept, pins, NAMES);
  if (!kept.length) return refuse();
  hand.steps = noted(hand.steps, scene());
  if (!sameRequest(scene(), wanted)) settle(wanted);
}

const free = (name) => change((objects, pins) => void pins.delete(name));
const freeAll = () => change((objects, pins) => void pins.clear());
const remove = (name) => change((objects) => objects.filter((one) => one !== name));

function walk(there, word) {
  finish();
  note();
  const steps = there(hand.steps);
  if (sameRequest(steps.now, hand.steps.now)) return;
  const fresh = isHeld() || asksFor(duel().run()?.query ?? '', hand.steps.now);
  hand.steps = steps;
  settle(steps.now, fresh && steps.now[0].length > 0);
  say(`${word}: ${steps.now[0].join(', ') || 'nothing ticked'}.`);
}
const undo = () => walk(undone, 'Undone');
const redo = () => walk(redone, 'Redone');

// What stands in the controls for a while is a step; what a link brought is the first.
function note() {
  clearTimeout(timers.note);
  if (!duel()) return;
  hand.steps = opened.byLink && hand.asked[0]?.length ? undoFrom(hand.asked) : noted(hand.steps, hand.asked);
  if (hand.asked[0]?.length) opened.byLink = false;
  if (isHeld() && !hand.moving && !sameRequest(hand.asked, hand.settled)) duel().hold(later());
  changed();
}

// Who acts at once, before a link's request has stood for a while, still gets back to it.
for (const kind of ['pointerdown', 'keydown']) {
  window.addEventListener(kind, () => opened.byLink && hand.asked[0]?.length && note(), true);
}

document.addEventListener('duel:asked', ({ detail }) => {
  hand.asked = detail;
  clearTimeout(timers.note);
  timers.note = setTimeout(note, SETTLED);
  changed();
});
