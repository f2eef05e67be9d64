(kind, seed) => {
  // Values that suit a kind of axis: seeds from the one on the left, objects that are not ticked yet.
  const first = Number(seed) || 0;
  const boxes = [...document.querySelectorAll('#picker [role="gridcell"], #picker input[type="checkbox"]')];
  const free = ['cyan sphere', 'gray cube', 'yellow cylinder', 'purple sphere'].filter(
    (name) => !boxes.some((box) => box.value === name && box.checked)
  );
  return {
    seed: [first, first + 1, first + 2].join(', '),
    steps: '2, 4, 8, 20',
    sampler: 'dpm, unipc, ddim, ddpm',
    model: [...document.querySelectorAll('#grid-model input')].map((one) => one.value).join(', '),
    object: ['nothing', ...free.slice(0, 3)].join(', '),
  }[kind];
}
