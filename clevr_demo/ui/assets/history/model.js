// What this browser keeps of the last results: read anew at every change, so that two tabs add to one list.
const HISTORY_KEY = 'clevr-duel.history';
const HISTORY_MOST = 12;

function recalled(text) {
  try {
    const list = JSON.parse(text ?? '[]');
    return Array.isArray(list) ? list.filter((run) => run?.query && run.pairs?.length) : [];
  } catch {
    return [];
  }
}

// Both pictures of a pair, by their contenders' names.
const sidesOf = ({ seed, ...sides }) => Object.entries(sides);

// The list with a finished run in front, without its timeline; the same request stands there once.
function remembered(list, run) {
  if (list.some((one) => one.key === run.key)) return list;
  const bare = ({ last, seconds, evaluations, cost }) => ({ frames: [], last: { ...last, xt: undefined }, seconds, evaluations, cost });
  const pairs = run.pairs.map((pair) => ({ seed: pair.seed, ...Object.fromEntries(sidesOf(pair).map(([name, side]) => [name, bare(side)])) }));
  return [{ ...run, pairs }, ...list.filter((one) => one.query !== run.query)].slice(0, HISTORY_MOST);
}

// Keeps a run; where the browser's room is full, the oldest go, and where it has none, the page remembers all.
function remember(storage, run) {
  const list = remembered(recalled(storage.get(HISTORY_KEY)), run);
  for (let length = list.length; length; length -= 1) if (storage.set(HISTORY_KEY, JSON.stringify(list.slice(0, length)))) return;
  storage.set(HISTORY_KEY, JSON.stringify(list));
}

// "red cube, blue sphere. Seed 7, 20 steps."
function inWords(run) {
  const objects = (new URLSearchParams(run.query).get('objects') ?? '').replaceAll('-', ' ').replaceAll(',', ', ');
  return `${objects}. Seed ${run.seed}, ${run.steps} ${run.steps === 1 ? 'step' : 'steps'}.`;
}
