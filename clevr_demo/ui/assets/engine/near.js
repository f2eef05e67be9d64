// Which word is meant by one that is misspelt: the likeness of Ratcliff and Obershelp (1988), as Python's difflib has it.

// The longest run that stands in both, the earliest of those: where it starts in each, and its length.
function longestRun(one, other) {
  let best = [0, 0, 0];
  let before = [];
  for (let i = 0; i < one.length; i += 1) {
    const here = [];
    for (let j = 0; j < other.length; j += 1) {
      if (one[i] !== other[j]) continue;
      here[j] = (before[j - 1] ?? 0) + 1;
      if (here[j] > best[2]) best = [i - here[j] + 1, j - here[j] + 1, here[j]];
    }
    before = here;
  }
  return best;
}

function common(one, other) {
  const [i, j, length] = longestRun(one, other);
  if (!length) return 0;
  return length + common(one.slice(0, i), other.slice(0, j)) + common(one.slice(i + length), other.slice(j + length));
}

/**
 * The word that is most like a given one, or undefined where none is at least `cutoff` alike.
 * @param {string[]} words plain ASCII ones
 * @param {number} cutoff 0 to 1
 */
export function nearest(word, words, cutoff) {
  const meant = [...word];
  let found;
  for (const one of words) {
    const alike = meant.length + one.length ? (2 * common([...one], meant)) / (meant.length + one.length) : 1;
    if (alike < cutoff || (found && (alike < found.alike || (alike === found.alike && one < found.one)))) continue;
    found = { one, alike };
  }
  return found?.one;
}
