async () => {
  const query = document.querySelector('@shown')?.dataset.query;
  if (!query) return 'Draw something first';
  const home = '@home' || location.origin + location.pathname;
  const link = `${home}?${query}`;
  try {
    await navigator.clipboard.writeText(link);
    return 'Link copied';
  } catch {
    window.prompt('Copy this link', link); // the browser refuses the clipboard, on plain http for one
    return 'Copy link';
  }
}
