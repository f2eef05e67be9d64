() => {
  // The download menu opens and closes; Escape, a click elsewhere and a choice close it.
  const place = document.getElementById('share');
  const button = document.getElementById('download');
  const set = (open) => {
    place.classList.toggle('open', open);
    button.setAttribute('aria-expanded', String(open));
  };
  if (!place.dataset.wired) {
    place.dataset.wired = 'yes';
    document.addEventListener('click', (event) => {
      if (!event.target.closest('#download, #download-menu')) set(false);
    });
    place.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || !place.classList.contains('open')) return;
      event.stopPropagation();
      set(false);
      button.focus();
    });
  }
  set(!place.classList.contains('open'));
  return [];
}
