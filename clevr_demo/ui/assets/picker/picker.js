// The object picker. `props.value` is the list of ticked names; the boxes are the browser's own.
const boxes = [...element.querySelectorAll('input[type="checkbox"]')];
const count = element.querySelector('.picker-count');
const columns = 8;

// Where nothing is ticked, what the pictures show is framed: the example, to begin with. Gives what that is called.
function frame(none) {
  const duel = document.querySelector('#duel .duel')?.duel;
  const run = none ? duel?.run() : null;
  const shown = new Set(run ? duel.objects() : []);
  for (const box of boxes) box.parentElement.classList.toggle('shown', shown.has(box.value));
  return run && (run.state === 'showcase' ? 'the example' : 'what is shown');
}

function tell() {
  const ticked = boxes.filter((box) => box.checked).length;
  const most = props.most ?? 3;
  const beyond = ticked > most;
  count.classList.toggle('beyond', beyond);
  const framed = frame(ticked === 0);
  const told = [`Tick one to ${most === 3 ? 'three' : most}${framed ? `; framed: ${framed}.` : ' objects.'}`, `${ticked} ticked`];
  const said = beyond ? `${ticked} ticked: more than any training picture holds. It still draws.` : told[Math.min(1, ticked)];
  if (count.textContent !== said) count.textContent = said; // else it would be read out at every picture
  count.title = boxes.filter((box) => box.checked).map((box) => box.value).join(', ');
}

function show() {
  const ticked = new Set(props.value || []);
  for (const box of boxes) box.checked = ticked.has(box.value);
  tell();
}

element.addEventListener('change', () => {
  props.value = boxes.filter((box) => box.checked).map((box) => box.value);
  tell();
});

// The grid is one tab stop (the ARIA grid pattern): arrow keys, Home and End walk it, Space ticks.
const rows = boxes.length / columns;
const moves = {
  ArrowLeft: ({ row, column }) => ({ row, column: Math.max(0, column - 1) }),
  ArrowRight: ({ row, column }) => ({ row, column: Math.min(columns - 1, column + 1) }),
  ArrowUp: ({ row, column }) => ({ row: Math.max(0, row - 1), column }),
  ArrowDown: ({ row, column }) => ({ row: Math.min(rows - 1, row + 1), column }),
  Home: ({ row }, ctrl) => ({ row: ctrl ? 0 : row, column: 0 }),
  End: ({ row }, ctrl) => ({ row: ctrl ? rows - 1 : row, column: columns - 1 }),
};

function stopAt(box) {
  for (const other of boxes) other.tabIndex = other === box ? 0 : -1;
}

element.addEventListener('focusin', (event) => {
  if (boxes.includes(event.target)) stopAt(event.target);
});
element.addEventListener('keydown', (event) => {
  const from = boxes.indexOf(event.target);
  if (from < 0 || !(event.key in moves)) return;
  const here = { row: Math.floor(from / columns), column: from % columns };
  const { row, column } = moves[event.key](here, event.ctrlKey || event.metaKey);
  boxes[row * columns + column].focus();
  event.preventDefault();
});

stopAt(boxes[0]);
document.addEventListener('duel:filled', tell);
watch('value', show);
show();
