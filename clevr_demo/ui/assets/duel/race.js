// The race: one bar a model on one axis of seconds, filled pass by pass.
function drawRace(place, pair, contenders) {
  const race = raceOf(pair, contenders);
  for (const { model, seconds, passes, cost, complete } of race.bars) {
    const lane = place.querySelector(`.lane[data-model="${model}"]`);
    const bar = lane.querySelector('.bar');
    bar.style.setProperty('--share', seconds / race.most);
    const marks = passes.slice(0, -1).map((at) => at / Math.max(seconds, 0.0001));
    bar.style.setProperty('--stripes', marks.length > 1 ? `${(100 / (marks.length + 1)).toFixed(3)}%` : '100%');
    const told = lane.querySelector('.complete');
    told.hidden = !complete;
    if (complete) {
      told.style.setProperty('--at', complete.at / race.most);
      told.classList.toggle('late', complete.at > race.most / 2); // its words stay on the bar
      told.textContent = `all found at step ${complete.step}`;
    }
    lane.querySelector('.lane-cost').textContent = cost;
  }
  place.querySelector('.race-end').textContent = duration(race.most);
}
