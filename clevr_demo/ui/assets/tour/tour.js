// The guided tour: each step says a few words and does something with the duel that stands on the page.
const opener = element.querySelector('[data-open]');
const panel = element.querySelector('.tour');
const button = (name) => panel.querySelector(`[data-go="${name}"]`);
const SECONDS = 10; // a step; three of them make half a minute
const calm = () => matchMedia('(prefers-reduced-motion: reduce)').matches;
const duel = () => document.querySelector('#duel .duel');

const STEPS = [
  {
    title: 'The DDPM takes noise away',
    words:
      'It starts from pure noise. First it decides where each object stands, then, step by step, it takes a little noise ' +
      'away until a scene is left. The slider below goes through its steps.',
    spot: '.stage[data-model="ddpm"]',
    act: (it) => (calm() ? it.moves.end() : (it.pause(), it.goTo(0), it.play())),
  },
  {
    title: 'The ACGAN draws at once',
    words:
      'It turns the same kind of noise into a picture in a single pass. It learned by trying to fool a second network, ' +
      'its adversary, that tells real pictures from drawn ones. The crosses show where it meant the objects to stand.',
    spot: '.stage[data-model="acgan"]',
    act: (it) => (it.pause(), it.moves.end(), look(it, 'places', true)),
  },
  {
    title: 'A judge that taught neither',
    words:
      'A third network, which took no part in their training, looks for the 24 objects. It rings what it finds, counts, ' +
      'and says what is missing, twice or extra. It can be wrong, too: look for yourself.',
    spot: '.verdicts',
    act: (it) => (look(it, 'places', false), look(it, 'rings', true), calm() ? it.moves.end() : (it.goTo(0), it.play())),
  },
];
const tour = { step: -1, timer: 0, spent: 0, held: false, looks: null };

function look(it, name, on) {
  it.looks[name] = on;
  it.redraw();
}

function mark(spot) {
  document.querySelectorAll('.tour-spot').forEach((one) => one.classList.remove('tour-spot'));
  const place = spot && duel()?.querySelector(spot);
  place?.classList.add('tour-spot');
  reveal(place, panel);
}

function tick() {
  if (tour.held || panel.matches(':hover')) return;
  tour.spent += 0.1;
  panel.style.setProperty('--spent', Math.min(1, tour.spent / SECONDS));
  if (tour.spent < SECONDS) return;
  if (tour.step < STEPS.length - 1) go(tour.step + 1);
  else clearInterval(tour.timer);
}

function go(step) {
  tour.step = step;
  tour.spent = 0;
  panel.style.setProperty('--spent', 0);
  const { title, words, spot, act } = STEPS[step];
  panel.querySelector('h3').textContent = `${step + 1} of ${STEPS.length}: ${title}`;
  panel.querySelector('p').textContent = words;
  for (const drawing of panel.querySelectorAll('svg[data-step]')) drawing.toggleAttribute('hidden', drawing.dataset.step !== String(step));
  button('back').disabled = step === 0;
  button('next').textContent = step === STEPS.length - 1 ? 'Done' : 'Next';
  mark(spot);
  const it = duel()?.duel;
  if (it?.run()) act(it);
}

function open() {
  document.querySelector('#tabs button[role="tab"]')?.click(); // the duel's own tab
  tour.looks = { ...duel()?.duel?.looks };
  tour.held = calm();
  button('hold').hidden = calm();
  panel.hidden = false;
  opener.setAttribute('aria-expanded', 'true');
  clearInterval(tour.timer);
  tour.timer = setInterval(tick, 100);
  go(0);
  button('next').focus({ preventScroll: true });
}

function close() {
  clearInterval(tour.timer);
  panel.hidden = true;
  mark(null);
  tour.step = -1;
  opener.setAttribute('aria-expanded', 'false');
  const it = duel()?.duel;
  if (it) {
    Object.assign(it.looks, tour.looks);
    it.pause();
    if (it.run()) it.moves.end();
  }
  opener.focus({ preventScroll: true });
}

const acts = {
  back: () => go(Math.max(0, tour.step - 1)),
  next: () => (tour.step < STEPS.length - 1 ? go(tour.step + 1) : close()),
  hold: () => {
    tour.held = !tour.held;
    button('hold').setAttribute('aria-pressed', String(tour.held));
  },
  close,
};

opener.addEventListener('click', () => (panel.hidden ? open() : close()));
panel.addEventListener('click', (event) => acts[event.target.closest('[data-go]')?.dataset.go]?.());
panel.addEventListener('keydown', (event) => {
  const act = { ArrowLeft: 'back', ArrowRight: 'next', Escape: 'close' }[event.key];
  if (!act) return;
  event.preventDefault();
  event.stopPropagation(); // Escape ends the tour, not a run
  acts[act]();
});
