(live, steps) => {
  // Few steps while one draws as one clicks, and the number from before when that ends.
  const few = @few;
  if (live) window.clevrSteps = steps;
  return live ? Math.min(steps || few, few) : window.clevrSteps ?? steps;
}
