// Guess first: a class on the duel hides names and verdicts; an answer takes it away again and says who was who.
const KEY = 'clevr-duel-guesses';
const opener = element.querySelector('[data-open]');
const panel = element.querySelector('.guess');
const part = (selector) => panel.querySelector(selector);
const duel = () => document.querySelector('#duel .duel');
const run = () => duel()?.duel?.run();
const contenders = () => duel()?.duel?.contenders() ?? [];
const game = { on: false, kind: 'right', swapped: false, answered: false };

const kept = () => scoreOf(storage.get(KEY));

function keep(score) {
  storage.set(KEY, JSON.stringify(score));
  part('.guess-score span').textContent = scoreWords(score, contenders());
}

function show() {
  const root = duel();
  const hidden = game.on && !game.answered;
  root?.classList.toggle('guessing', hidden);
  root?.classList.toggle('swapped', game.on && game.swapped);
  panel.hidden = !game.on;
  opener.setAttribute('aria-pressed', String(game.on));
  for (const one of panel.querySelectorAll('[data-kind]')) one.setAttribute('aria-pressed', String(one.dataset.kind === game.kind));
  const ready = hidden && ['done', 'showcase'].includes(root?.dataset.state) && Boolean(run()?.pairs?.[0]);
  for (const one of panel.querySelectorAll('[data-answer]')) {
    one.disabled = !ready;
    one.hidden = game.kind === 'real' && !['left', 'right'].includes(one.dataset.answer);
  }
  part('.guess-question').textContent = run() ? questionOf(game.kind, root.duel.objects()) : '';
  // What a screen reader says of the pictures must not give them away.
  if (hidden) for (const picture of root?.querySelectorAll('.stage .picture') ?? []) picture.alt = 'A picture to guess about';
  else root?.duel?.redraw();
}

// A new pair to guess about: who stands left is drawn by lot.
function begin() {
  Object.assign(game, { answered: false, swapped: Math.random() < 0.5 });
  part('.guess-told').textContent = '';
  const it = duel()?.duel;
  it?.pause();
  if (run()) it.moves.end();
  show();
}

function answer(said) {
  const pair = run()?.pairs?.[0];
  if (!pair || game.answered) return;
  const { score, told } = judgeGuess(game.kind, said, pair, contenders(), game.swapped, kept());
  game.answered = true;
  part('.guess-told').textContent = told;
  keep(score);
  show();
}

function next() {
  document.querySelector('#surprise')?.click(); // ticks other objects and draws them
}

function toggle() {
  game.on = !game.on;
  if (game.on) {
    document.querySelector('#tabs button[role="tab"]')?.click();
    keep(kept());
    begin();
    reveal(duel()?.querySelector('.stages'), panel);
  } else {
    Object.assign(game, { swapped: false, answered: false });
    show();
    reveal(null, panel);
  }
}

opener.addEventListener('click', toggle);
panel.addEventListener('click', (event) => {
  const { answer: said, kind, next: another, forget } = event.target.closest('button')?.dataset ?? {};
  if (said) answer(said);
  if (another !== undefined) next();
  if (forget !== undefined) keep(emptyScore());
  if (kind) {
    game.kind = kind;
    if (game.answered) begin();
    else show();
  }
});
// The duel tells its state in an attribute: a run that starts hides its pictures, one that ends can be guessed about.
document.addEventListener('duel:drawn', () => game.on && begin());
const watcher = new MutationObserver(() => {
  if (!game.on) return;
  if (duel()?.dataset.state === 'drawing' && game.answered) Object.assign(game, { answered: false });
  show();
});
const watched = () => {
  const root = duel();
  if (root) watcher.observe(root, { attributes: true, attributeFilter: ['data-state'] });
  else requestAnimationFrame(watched);
};
watched();
