// Guessing without a page: what is right, what an answer is worth, and the score in words.
const PLACES = ['left', 'right'];
const NAMES = { ddpm: 'DDPM', acgan: 'ACGAN' };

function emptyScore() {
  return { asked: 0, right: 0, real: { ddpm: 0, acgan: 0 } };
}

// The score that a browser keeps, or an empty one where it keeps something else.
function scoreOf(text) {
  try {
    const kept = JSON.parse(text);
    const counts = [kept.asked, kept.right, kept.real.ddpm, kept.real.acgan];
    return counts.every((one) => Number.isInteger(one) && one >= 0) ? kept : emptyScore();
  } catch {
    return emptyScore();
  }
}

// Which models stand left and right.
const sidesOf = (swapped) => (swapped ? ['acgan', 'ddpm'] : ['ddpm', 'acgan']);

// The right answer, by the judge: which of both pictures is exact.
function truth(pair, swapped) {
  const exact = sidesOf(swapped).map((model) => Boolean(pair[model].last?.exact));
  if (exact[0] === exact[1]) return exact[0] ? 'both' : 'neither';
  return exact[0] ? 'left' : 'right';
}

// The score after an answer, and what to say.
function judgeGuess(kind, answer, pair, swapped, score) {
  const sides = sidesOf(swapped);
  const where = sides.map((model, place) => `${PLACES[place]} is the ${NAMES[model]}`).join(', ');
  if (kind === 'real') {
    const chosen = sides[PLACES.indexOf(answer)];
    const real = { ...score.real, [chosen]: score.real[chosen] + 1 };
    return { score: { ...score, real }, told: `You chose the ${NAMES[chosen]}: ${where}.` };
  }
  const wanted = truth(pair, swapped);
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

function scoreWords({ asked, right, real }) {
  const parts = asked ? [`${right} of ${asked} guessed right`] : [];
  const votes = real.ddpm + real.acgan;
  if (votes) parts.push(`more real to you: DDPM ${real.ddpm}, ACGAN ${real.acgan}`);
  return parts.length ? `Score: ${parts.join('; ')}.` : 'No guess yet.';
}
