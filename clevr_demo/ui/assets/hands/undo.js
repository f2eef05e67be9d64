// Undo and redo, without a page: lists of what stood in the controls, the newest last.
const MOST_UNDOS = 100;
const sameRequest = (one, other) => queryOf(one) === queryOf(other);
const undoFrom = (values) => ({ past: [], now: values, future: [] });

function noted(steps, values) {
  if (sameRequest(steps.now, values)) return steps;
  return { past: [...steps.past, steps.now].slice(-MOST_UNDOS), now: values, future: [] };
}

function undone({ past, now, future }) {
  return past.length ? { past: past.slice(0, -1), now: past[past.length - 1], future: [now, ...future] } : { past, now, future };
}

function redone({ past, now, future }) {
  return future.length ? { past: [...past, now], now: future[0], future: future.slice(1) } : { past, now, future };
}
