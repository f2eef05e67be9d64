// The bar above the pictures: which mark is chosen and what can be done with it, by taps and clicks alone.
const bar = element.querySelector('.hands');
const part = (selector) => bar.querySelector(selector);
const WARN = 'Busy: others wait for their pictures, so these follow more slowly.';
const MOST_ICONS = 4; // of a request, as there is room for
const PAUSE = 700; // milliseconds after which nudges are over
const HOW = 'Drag a mark to move an object, or tap it and then its new place.';
const LAST = 'The last object stays: a scene holds at least one.';
const ACTS = { free: () => free(hand.chosen), 'free-all': freeAll, remove: () => remove(hand.chosen), undo, redo };

const say = (text) => (part('.hands-said').textContent = text);

// The place of the chosen object, on the picture where it was chosen.
const chosenMark = () => (hand.chosen ? marksOf(hand.model).find(({ name }) => name === hand.chosen) : null);

const iconOf = (name) => {
  const [colour, form] = name.split(' ');
  return `<svg class="object colour-${colour}" aria-hidden="true"><use href="#object-${form}"></use></svg>`;
};

// What the pictures were asked for, as icons; of the example it is said that it is one.
function fillAsked() {
  const { run } = duel().filled();
  const asked = run?.objects.map((object) => NAMES[object]) ?? [];
  const title = run?.state === 'showcase' ? 'Example' : 'Asked for';
  const [place, words] = [part('.hands-asked'), `${title}: ${asked.join(', ')}`];
  place.hidden = !asked.length;
  if (place.ariaLabel === words) return;
  place.ariaLabel = words;
  place.title = words;
  const more = asked.length > MOST_ICONS ? `+${asked.length - MOST_ICONS}` : '';
  place.innerHTML = `${title} ${asked.slice(0, MOST_ICONS).map(iconOf).join('')}${more}`;
}

function fillBar() {
  const mark = chosenMark();
  const unusual = duel().filled().run?.unusual ?? '';
  const leaving = hand.moving && hand.chosen && !mark;
  part('.hands-chosen').hidden = !mark;
  part('.hands-idle').hidden = Boolean(mark);
  fillAsked();
  const left = values()[0].length ? `Let go, and the ${hand.chosen} leaves the scene.` : LAST;
  part('.hands-hint').textContent = leaving ? left : unusual || rollWords() || HOW;
  if (mark) {
    part('.hands-object').innerHTML = iconOf(mark.name);
    part('.hands-chosen').setAttribute('aria-label', mark.name);
    part('.hands-words strong').textContent = mark.name;
    const words = `${PLACE_WORDS(halved(mark.place))}, by ${mark.given ? 'you' : 'the model'}`;
    part('.hands-words span').textContent = hand.refused ? LAST : hand.busy ? WARN : hand.armed ? 'Now tap its new place.' : unusual || words;
    part('[data-act="free"]').disabled = !mark.given;
  }
  duel().dice(queryOf(values()));
  part('[data-act="free-all"]').disabled = !pinsOf(values()).size;
  const [back, forth] = ['undo', 'redo'].map((act) => part(`[data-act="${act}"]`));
  const focused = document.activeElement;
  back.disabled = !hand.steps.past.length;
  forth.disabled = !hand.steps.future.length;
  if (focused === back && back.disabled) forth.focus();
  if (focused === forth && forth.disabled) back.focus();
}

// Everything that shows where objects stand.
function changed() {
  if (!duel()) return;
  for (const stage of root().querySelectorAll('.stage')) layGrips(stage, marksOf(stage.dataset.model), hand.chosen, hand.armed);
  fillBar();
}

function choose(name, model = hand.model) {
  const refused = hand.refused && name === hand.chosen;
  Object.assign(hand, { armed: hand.armed && name === hand.chosen, chosen: name, model, refused });
  changed();
}

// Moves the chosen object without pointing; a while after the last such move it is drawn.
function shift(place) {
  take(hand.model);
  put(hand.chosen, place);
  clearTimeout(timers.finish);
  timers.finish = setTimeout(finish, PAUSE);
}

function nudge(arrow, by) {
  const mark = chosenMark();
  if (mark) shift(moved(mark.place, ARROWS[arrow], by));
}

bar.addEventListener('click', (event) => {
  const { nudge: arrow, act } = event.target.closest('button')?.dataset ?? {};
  if (arrow) nudge(arrow, event.shiftKey ? 4 : 1);
  if (act) ACTS[act]();
});
