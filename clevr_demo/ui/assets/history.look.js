async (kept) => {
  // Which one was chosen stands in the page only once Gradio has drawn it.
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  const thumbs = [...document.querySelectorAll('#history button.thumbnail-item')];
  const index = thumbs.findIndex((one) => one.classList.contains('selected'));
  const run = (Array.isArray(kept) ? kept : [])[index];
  const button = { __type__: 'update', interactive: Boolean(run) };
  if (!run) return [{}, '', button, []];
  const objects = new URLSearchParams(run.query).get('objects').replaceAll('-', ' ').replaceAll(',', ', ');
  return [{ ...run, key: `${run.key}-past` }, run.query, button, [`${objects}. Seed ${run.seed}, ${run.steps} steps.`]];
}
