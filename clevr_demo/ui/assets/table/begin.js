({ form: [rows, down, columns, across, model], objects }, ticked) => {
  // The form of a grid to begin with; an axis of objects is without what is ticked already.
  const scene = ticked?.length ? ticked : objects;
  const others = across.split(', ').filter((name) => !scene.includes(name)).join(', ');
  return [rows, down, columns, others, model, scene];
}
