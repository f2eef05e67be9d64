() => {
  // A picture dropped anywhere on the page goes to the place made for it.
  const place = () => document.querySelector('#drop input[type="file"]');
  const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes('Files');
  window.addEventListener('dragover', (event) => {
    if (carriesFiles(event)) event.preventDefault();
  });
  window.addEventListener('drop', (event) => {
    if (!carriesFiles(event) || event.target.closest?.('#drop')) return;
    event.preventDefault();
    document.querySelector('#drop [aria-label="Clear"], #drop [aria-label="Remove this file"]')?.click();
    setTimeout(() => {
      const input = place();
      if (!input) return;
      const files = new DataTransfer();
      files.items.add(event.dataTransfer.files[0]);
      input.files = files.files;
      input.dispatchEvent(new Event('change', { bubbles: true }));
    }, 50);
  });
}
