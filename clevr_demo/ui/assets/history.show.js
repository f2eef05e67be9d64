(kept) => {
  // Both pictures side by side in one small SVG, which needs nothing but what the browser holds.
  const picture = (pair) => {
    const place = (side, x) =>
      `<image href="data:image/png;base64,${side.last.x0}" x="${x}" width="64" height="64" style="image-rendering:pixelated"/>`;
    const body = place(pair.ddpm, 0) + place(pair.acgan, 66);
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 130 64" width="260" height="128">${body}</svg>`;
    return `data:image/svg+xml;base64,${btoa(svg)}`;
  };
  const entries = (Array.isArray(kept) ? kept : []).map((run, i) => {
    const url = picture(run.pairs[0]);
    return { image: { path: '', url, orig_name: `result-${i + 1}.svg`, mime_type: 'image/svg+xml' }, caption: null };
  });
  return [entries];
}
