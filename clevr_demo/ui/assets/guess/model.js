// Guessing without a page: what is right, what an answer is worth, and the score in words.
const PLACES = ['left', 'right'];

function emptyScore() {
  return { asked: 0, right: 0, real: {} };
}

// The score that a browser keeps, or an empty one where it keeps something else.
function scoreOf(text) {
  try {
    const kept = JSON.parse(text);
    const counts = [kept.asked, kept.right, ...Object.values(kept.real)];
    return counts.every((one) => Number.isInteger(one) && one >= 0) ? kept : emptyScore();
  } catch {
    return emptyScore();
  }
}

// Which contenders, { name, title }, stand left and right.
const seated = (contenders, swapped) => (swapped ? [...contenders].reverse() : contenders);

// The right answer, by the judge: which of both pictures is exact.
function truth(pair, contenders, swapped) {
  const exact = seated(contenders, swapped).map(({ name }) => Boolean(pair[name].last?.exact));
  if (exact[0] === exact[1]) return exact[0] ? 'both' : 'neither';
  return exact[0] ? 'left' : 'right';
}

// The score after an answer, and what to say.
function judgeGuess(kind, answer, pair, contenders, swapped, score) {
  const sides = seated(contenders, swapped);
  const where = sides.map(({ title }, place) => `${PLACES[place]} is the ${title}`).join(', ');
  if (kind === 'real') {
    const chosen = sides[PLACES.indexOf(answer)];
    const real = { ...score.real, [chosen.name]: (score.real[chosen.name] ?? 0) + 1 };
    return { score: { ...score, real }, told: `You chose the ${chosen.title}: ${where}.` };
  }
  const wanted = truth(pair, contenders, swapped);
  const hit = answer === wanted;
  const says = { both: 'both are', neither: 'neither is', left: 'the left one is', right: 'the right one is' }[wanted];
  const told = `${hit ? 'Well guessed' : 'No'}: by the judge ${says} exact; ${where}.`;
  return { score: { ...score, asked: score.asked + 1, right: score.right + Number(hit) }, told };
}

// What is asked; it names the objects, as nothing else on the page does while the verdicts are hidden.
function questionOf(kind, objects) {
  const asked = `Asked for: ${objects.join(', ')}. `;
  const shown = objects.length > 1 ? 'shows each of them once, and nothing else' : 'shows it once, and nothing else';
  return asked + (kind === 'real' ? 'Which picture looks more like a photograph of that?' : `Which picture ${shown}?`);
}

function scoreWords({ asked, right, real }, contenders) {
  const parts = asked ? [`${right} of ${asked} guessed right`] : [];
  const votes = contenders.map(({ name, title }) => ({ title, count: real[name] ?? 0 }));
  if (votes.some(({ count }) => count)) parts.push(`more real to you: ${votes.map(({ title, count }) => `${title} ${count}`).join(', ')}`);
  return parts.length ? `Score: ${parts.join('; ')}.` : 'No guess yet.';
}
