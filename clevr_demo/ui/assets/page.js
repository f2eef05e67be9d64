() => {
  // A picture dropped anywhere on the page goes to the place made for it.
  const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes('Files');
  window.addEventListener('dragover', (event) => {
    if (carriesFiles(event)) event.preventDefault();
  });
  window.addEventListener('drop', (event) => {
    const input = document.querySelector('#drop-place input[type="file"]');
    if (!carriesFiles(event) || !input) return;
    event.preventDefault();
    const files = new DataTransfer();
    files.items.add(event.dataTransfer.files[0]);
    input.files = files.files;
    input.dispatchEvent(new Event('change', { bubbles: true }));
  });

  // Generate and Stop take turns; whoever pressed one by keyboard finds the other under the same key.
  const pair = ['generate', 'stop'];
  let last = '';
  document.addEventListener('focusin', (event) => (last = event.target.id));
  const hand = () => {
    const shown = pair.map((id) => document.getElementById(id)).find((button) => button?.offsetParent);
    const lost = document.activeElement === document.body || pair.includes(document.activeElement.id);
    if (shown && lost && pair.includes(last)) shown.focus({ preventScroll: true });
  };
  const watcher = new MutationObserver(hand);
  for (const id of pair) watcher.observe(document.getElementById(id), { attributes: true, attributeFilter: ['class'] });
}
