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

  // Another file, from wherever it comes: what the one before said is no longer true, whatever becomes of this one.
  const forgets = (event) => event.target.closest?.('#drop-place input[type="file"]');
  document.addEventListener('change', (event) => forgets(event) && document.getElementById('drop-another').click(), true);

  // Ctrl+Enter draws, Esc stops, wherever the focus is; on a phone, drawing puts the sheet away.
  const shown = (id) => {
    const button = document.getElementById(id);
    return button?.offsetParent ? button : null;
  };
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      document.activeElement?.blur?.(); // what is being typed counts
      setTimeout(() => shown('generate')?.click());
    }
    if (event.key === 'Escape' && !event.defaultPrevented) shown('stop')?.click();
  });
  document.addEventListener('click', (event) => {
    const open = document.getElementById('studio').classList.contains('sheet-open');
    if (open && event.target.closest('#generate')) document.getElementById('sheet').click();
  });

  // Gradio tells in a message of its own that the server is lost; what it was drawing stands still until it is back.
  const lost = new MutationObserver(() => {
    const told = [...document.querySelectorAll('.toast-body.error')].some((one) => /connection.* lost/i.test(one.textContent));
    const page = document.documentElement.classList;
    if (!told || page.contains('lost')) return;
    page.add('lost');
    const words = document.querySelector('#duel .duel-summary .seen');
    if (words && shown('stop')) words.textContent = 'Connection lost: drawn again as it returns.';
  });
  lost.observe(document.body, { childList: true, subtree: true });
  document.getElementById('shell')?.remove();

  // Generate and Stop take turns; whoever pressed one by keyboard finds the other under the same key.
  const pair = ['generate', 'stop'];
  let last = '';
  document.addEventListener('focusin', (event) => (last = event.target.id));
  const hand = () => {
    const button = pair.map(shown).find(Boolean);
    const lost = document.activeElement === document.body || pair.includes(document.activeElement.id);
    if (button && lost && pair.includes(last)) button.focus({ preventScroll: true });
  };
  const watcher = new MutationObserver(hand);
  for (const id of pair) watcher.observe(document.getElementById(id), { attributes: true, attributeFilter: ['class'] });
}
