async () => {
  // Both pictures side by side, enlarged as they stand on the page, with names, verdicts and the request, for the clipboard.
  const root = document.querySelector('#duel .duel');
  const run = root?.duel?.run();
  if (!run) return 'Draw something first';
  const [SIDE, GAP, HEAD, FOOT] = [512, 32, 96, 64];
  const board = document.createElement('canvas');
  Object.assign(board, { width: 2 * SIDE + 3 * GAP, height: SIDE + HEAD + FOOT });
  const pen = board.getContext('2d');
  const write = (text, x, y, font, colour = '#1e293b') => {
    Object.assign(pen, { font: `${font} system-ui, sans-serif`, fillStyle: colour });
    pen.fillText(text, x, y, SIDE);
  };
  pen.fillStyle = '#ffffff';
  pen.fillRect(0, 0, board.width, board.height);
  pen.imageSmoothingEnabled = !root.classList.contains('pixels');
  [...root.querySelectorAll('.stage')].forEach((stage, place) => {
    const left = GAP + place * (SIDE + GAP);
    const told = stage.querySelector('.told');
    write(stage.querySelector('.who strong').textContent, left, 40, '600 30px');
    write(told.textContent, left, 76, '24px', told.classList.contains('bad') ? '#b91c1c' : '#15803d');
    pen.drawImage(stage.querySelector('.picture'), left, HEAD, SIDE, SIDE);
  });
  const asked = `${root.duel.objects().join(', ')}; seed ${run.seed}, ${run.steps} ${run.steps === 1 ? 'step' : 'steps'}`;
  write(asked, GAP, board.height - 22, '24px', '#475569');
  const picture = new Promise((done) => board.toBlob(done, 'image/png'));
  try {
    await navigator.clipboard.write([new ClipboardItem({ 'image/png': picture })]);
    return 'Picture copied';
  } catch {
    // The browser keeps the clipboard closed: the picture stands there to be copied by hand.
    const shown = document.createElement('dialog');
    shown.className = 'by-hand';
    shown.innerHTML = '<p>This browser does not let pages copy pictures: copy it by a right click or a long press.</p><img><form method="dialog"><button>Close</button></form>';
    Object.assign(shown.querySelector('img'), { src: board.toDataURL('image/png'), alt: asked });
    shown.addEventListener('close', () => shown.remove());
    document.body.append(shown);
    shown.showModal();
    return 'Copy picture';
  }
}
