// Lessons: each draws prepared requests on the real page, marks what to look at, and keeps its answer covered until asked.
const opener = element.querySelector('[data-open]');
const [panel, word] = element.querySelectorAll('.lessons');
const [articles, questions] = [[...panel.querySelectorAll('article')], [...panel.querySelectorAll('[data-lesson]')]];
const button = (name) => panel.querySelector(`[data-go="${name}"]`);
const page = document.documentElement;
const lesson = { number: 0 };
let asker = null; // who opened a card, and gets the focus back

function mark(spot) {
  document.querySelectorAll('.lesson-spot').forEach((one) => one.classList.remove('lesson-spot'));
  const place = spot && document.querySelector(`#duel ${spot}`);
  place?.classList.add('lesson-spot');
  reveal(place, panel);
}

function go(number) {
  const left = articles[lesson.number].contains(document.activeElement);
  lesson.number = number;
  articles.forEach((one, place) => (one.hidden = place !== number));
  questions.forEach((one, place) => one.setAttribute('aria-pressed', String(place === number)));
  for (const one of panel.querySelectorAll('details')) one.open = false;
  button('back').disabled = number === 0;
  button('next').textContent = number === articles.length - 1 ? 'Done' : 'Next';
  panel.scrollTop = 0;
  mark(articles[number].dataset.spot);
  if (left) articles[number].querySelector('[data-query]').focus({ preventScroll: true }); // where the keys were is hidden now
}

function open() {
  document.querySelector('#tabs button[role="tab"]')?.click(); // the duel's own tab
  panel.hidden = false;
  opener.setAttribute('aria-expanded', 'true');
  go(lesson.number);
  articles[lesson.number].querySelector('[data-query]').focus({ preventScroll: true });
}

function close() {
  panel.hidden = true;
  mark(null);
  opener.setAttribute('aria-expanded', 'false');
  opener.focus({ preventScroll: true });
}

function draw(query) {
  props.value = query;
  trigger('select');
}

// All of it on paper, answers uncovered, with links in full; the rest of the page stays away.
function print() {
  const covered = [...panel.querySelectorAll('details')].filter((one) => !one.open);
  for (const one of covered) one.open = true;
  for (const link of panel.querySelectorAll('.lesson-link')) link.textContent = `${location.origin}${location.pathname}?${link.dataset.link}`;
  page.classList.add('printing');
  const over = () => {
    page.classList.remove('printing');
    for (const one of covered) one.open = false;
  };
  window.addEventListener('afterprint', over, { once: true });
  window.print();
}

function tell(name) {
  const { title, text } = props.cards[name];
  word.querySelector('h3').textContent = title;
  word.querySelector('p').textContent = text;
  word.setAttribute('aria-label', title);
  word.hidden = false;
  word.querySelector('button').focus({ preventScroll: true });
}

function understood() {
  word.hidden = true;
  asker?.focus({ preventScroll: true });
}

const acts = {
  back: () => go(Math.max(0, lesson.number - 1)),
  next: () => (lesson.number < articles.length - 1 ? go(lesson.number + 1) : close()),
  print,
  close,
  understood,
};

opener.addEventListener('click', () => (panel.hidden ? open() : close()));
element.addEventListener('click', (event) => {
  const { go: act, query, lesson: number } = event.target.closest('button')?.dataset ?? {};
  if (act) acts[act]();
  if (number) go(Number(number));
  if (query) draw(query);
});
element.addEventListener('keydown', (event) => {
  const act = !word.hidden ? { Escape: 'understood' }[event.key] : { ArrowLeft: 'back', ArrowRight: 'next', Escape: 'close' }[event.key];
  if (!act || (panel.hidden && word.hidden)) return;
  event.preventDefault();
  event.stopPropagation(); // Escape ends the lesson, not a run
  acts[act]();
});
document.addEventListener('click', (event) => {
  const card = event.target.closest('[data-card]');
  if (!card) return word.hidden || word.contains(event.target) || understood();
  asker = card;
  tell(card.dataset.card);
});
