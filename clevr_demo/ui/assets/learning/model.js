// Moments of two runs on one logarithmic axis of windows seen.
const allMoments = (models) => [...new Set(models.flatMap((one) => one.moments))].sort((a, b) => a - b);

// Where so many windows stand on the axis, from 0 to 1.
function alongLog(seen, low, high) {
  return high > low ? Math.min(1, Math.max(0, Math.log(seen / low) / Math.log(high / low))) : 0;
}

// The place of a run's newest moment up to so many windows; its first before that.
const momentAt = (moments, seen) => Math.max(0, moments.filter((one) => one <= seen).length - 1);

// The value of a curve of [windows, value] up to so many windows.
const valueAt = (curve, seen) => (curve.filter(([at]) => at <= seen).at(-1) ?? curve[0])[1];

// The newest thing to look at.
const lookAt = (looks, seen) => (looks.filter((one) => one.at <= seen).at(-1) ?? looks[0])?.text ?? '';

// Powers of ten within the axis.
function powersOf(low, high) {
  const found = [];
  for (let power = 10 ** Math.ceil(Math.log10(low) - 1e-9); power <= high; power *= 10) found.push(power);
  return found;
}

// The place of the stop that is nearest to a share of the axis.
function nearestStop(stops, share) {
  const away = stops.map((seen) => Math.abs(alongLog(seen, stops[0], stops.at(-1)) - share));
  return away.indexOf(Math.min(...away));
}

// "1k", "10k", "1M".
const shortOf = (number) => (number >= 1e6 ? `${number / 1e6}M` : number >= 1e3 ? `${number / 1e3}k` : String(number));
