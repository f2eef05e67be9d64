// Who draws: the server or, once it has its engine, this browser. That comes as soon as somebody moves an object, draws as
// they click or waits for long, and from then on draws whatever it can; what it draws, nobody is told of.
const SERVER_BUSY = () => Boolean(document.getElementById('stop')?.offsetParent);
const MOST_SEED = 2 ** 31 - 1;
let drawing = null; // of a request with all its steps: { query, abort }

// Pictures in few steps, of what is being moved.
async function paint(query) {
  if (!engine.can(query, true)) {
    engine.want(query, true);
    return server.repaint({ query, visitor: VISITOR });
  }
  try {
    return { run: await engine.draw(query, true), rest: 0 };
  } catch {
    return server.repaint({ query, visitor: VISITOR });
  }
}

function endOwn() {
  drawing?.abort.abort();
  drawing = null;
}

// `more` is what else its runs say.
async function drawOwn(query, more = {}) {
  endOwn();
  const mine = (drawing = { query, abort: new AbortController() });
  const shown = (run) => drawing === mine && !SERVER_BUSY() && duel().put({ ...run, ...more });
  try {
    await engine.draw(query, false, shown, mine.abort.signal);
  } catch (error) {
    say(`Press Generate: this browser's engine is off (${error.message}), the server draws.`);
  } finally {
    if (drawing === mine) drawing = null;
  }
}

// Whether a control's values are a request that the server would take without a word.
function isPlain([objects, seed, steps]) {
  const whole = (value, most) => Number.isInteger(value) && value >= 0 && value <= most;
  return objects?.length > 0 && whole(seed, MOST_SEED) && whole(steps, Infinity);
}

const anotherSeed = ([objects, , ...rest]) => [objects, Math.floor(Math.random() * (MOST_SEED + 1)), ...rest];
const ownSeeds = (values) => [...new URLSearchParams(values[GIVEN] ?? '')].some(isSeed);

// Each kind of event that may draw: how many of its values stand before the controls', and of those whether it draws, and
// whether with the seed that stands there.
const KINDS = {
  press: { before: 1, draws: () => true, locked: ([locked]) => locked },
  follow: { before: 2, draws: ([, live], values) => live && values[0]?.length > 0, locked: ([locked]) => locked },
  example: { before: 2, draws: ([, live]) => !live, locked: ([locked]) => locked },
  settle: { before: 1, draws: ([settled]) => settled.draw, locked: () => true },
};

// What the server is told of an event: all, where it is to draw; else neither objects nor places.
const told = (moment, flags, values) => [moment, ...flags, ...values];
const untold = (moment, flags, [, ...values]) => told(moment, flags.map((flag) => (flag?.values ? { draw: flag.draw } : flag)), [[], ...values.slice(0, -1), '']);

// What an event that may draw tells the server: when it was, or -1 where this browser draws.
globalThis.clevrTakes = (kind, given) => {
  const { before, draws, locked } = KINDS[kind];
  const [flags, asked] = [given.slice(0, before), given.slice(before)];
  if (!draws(flags, asked)) return untold(performance.now(), flags, asked);
  const wanted = locked(flags) ? asked : anotherSeed(asked);
  const query = queryOf(wanted);
  const mine = !SERVER_BUSY() && isPlain(wanted) && (locked(flags) || !ownSeeds(asked)) && engine.can(query, false);
  if (mine || engine.state.stage === 'ready' || document.querySelector('#live input')?.checked) engine.want(query, false);
  if (!mine) {
    endOwn();
    return told(performance.now(), flags, asked);
  }
  const there = kind === 'follow' && wanted === asked && (drawing?.query === query || asksFor(duel().run()?.query ?? '', wanted));
  if (!there) drawOwn(query);
  return untold(-1, flags, wanted);
};

document.addEventListener('change', (event) => {
  if (event.target.closest('#live') && event.target.checked) engine.want(queryOf(scene()), true);
});

const SAID = 10; // seconds for which a failure stands below the pictures
const BY = props.alone ? { browser: 'Drawn by this browser' } : { browser: 'Drawn by this browser, nothing is sent', server: 'Drawn by the server' };

// Below the pictures: who drew them, and how far the engine is.
function tellWho() {
  const { run } = duel().filled();
  const who = run && (run.waited ? 'Drawn by this browser, as the server was busy' : BY[run.by ?? 'server']);
  const { stage, share, total, reason } = engine.state;
  const size = total ? `: ${Math.round((share * total) / 1e6)} of ${Math.round(total / 1e6)} MB` : '';
  const before = props.alone ? 'This' : isWaiting() ? 'Many wait for the server, so this' : 'The server draws while this';
  const gets = `${before} browser gets its own painters${size}`;
  const news = {
    loading: gets,
    ready: share < 1 && isWaiting() ? gets : undefined,
    checking: 'This browser tries its own painters',
    off: `This browser does not draw by itself: ${reason}`,
  }[engine.state.told && !props.alone ? 'none' : stage];
  const by = root().querySelector('.by');
  by.replaceChildren(...(offer() ?? [news ?? who ?? '']));
  by.title = news ?? ''; // a long one is cut off
  if (stage === 'off') setTimeout(() => (engine.state.told = true), 1000 * SAID);
}
