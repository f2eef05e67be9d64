async (kept) => {
  // Which one was chosen stands in the page only once Gradio has drawn it.
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  const thumbs = [...document.querySelectorAll('#history button.thumbnail-item')];
  const index = thumbs.findIndex((one) => one.classList.contains('selected'));
  const run = (Array.isArray(kept) ? kept : [])[index];
  const button = { __type__: 'update', interactive: Boolean(run) };
  return run ? [{ ...run, key: `${run.key}-past` }, run.query, button] : [{}, '', button];
}
