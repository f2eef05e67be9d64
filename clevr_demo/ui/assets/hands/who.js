// Who draws, chosen in the heads of the two stages, where the server knows more than two; one never draws against itself.
const DUEL = 5; // its place among the controls' values

// The pair after one takes a seat, 0 or 1: where it sat on the other one already, both change seats.
function seatedPair(pair, seat, name) {
  const other = pair[1 - seat] === name ? pair[seat] : pair[1 - seat];
  return seat ? [other, name] : [name, other];
}

document.addEventListener('change', (event) => {
  const pick = event.target.closest('#duel .who-pick');
  if (!pick) return;
  finish();
  const before = scene();
  const pair = seatedPair(duel().contenders().map(({ name }) => name), Number(pick.dataset.seat), pick.value);
  const usual = pair.join() === duel().usual.join();
  hand.steps = noted(hand.steps, before);
  settle(before.map((value, place) => (place === DUEL ? (usual ? '' : pair.join()) : value)));
});
