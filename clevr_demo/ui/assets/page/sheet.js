() => {
  // On a phone: the sheet with the picker goes up and down.
  const open = document.getElementById('studio').classList.toggle('sheet-open');
  const button = document.getElementById('sheet');
  button.setAttribute('aria-expanded', String(open));
  button.textContent = open ? 'Close' : 'Objects';
  return [];
}
