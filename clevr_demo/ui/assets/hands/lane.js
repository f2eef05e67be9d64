// Asks one thing at a time: of all that is pushed meanwhile the newest is asked next, and what comes is shown in order.
// `ask` gives { run, rest }: no run where one has to rest first, nothing where the server failed.
function laneOf(ask, show, sleep = (seconds) => new Promise((done) => setTimeout(done, 1000 * seconds))) {
  let pending = null;
  let working = false;
  let round = 0; // what was asked before the newest `drop` is not shown any more

  async function work() {
    working = true;
    while (pending !== null) {
      const [asked, mine] = [pending, round];
      pending = null;
      const answer = await Promise.resolve(ask(asked)).catch(() => null);
      const refused = answer && !answer.run && answer.rest > 0;
      if (refused && mine === round) pending ??= asked;
      if (answer && mine === round) show(answer);
      if (answer?.rest > 0) await sleep(answer.rest);
    }
    working = false;
  }

  return {
    push(asked) {
      pending = asked;
      if (!working) work();
    },
    drop() {
      pending = null;
      round += 1;
    },
    busy: () => working,
  };
}
