// The object picker. `props.value` is the list of ticked names; the boxes are the browser's own.
const boxes = [...element.querySelectorAll('input[type="checkbox"]')];
const count = element.querySelector('.picker-count');
const columns = 8;

function tell() {
  const ticked = boxes.filter((box) => box.checked).length;
  const most = props.most ?? 3;
  const beyond = ticked > most;
  count.classList.toggle('beyond', beyond);
  if (ticked === 0) count.textContent = `Tick one to ${most === 3 ? 'three' : most} objects.`;
  else if (beyond) count.textContent = `${ticked} ticked: more than any training picture holds. It still draws.`;
  else count.textContent = `${ticked} ticked`;
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

// Arrow keys walk the grid; Tab and Space work as everywhere.
const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
element.addEventListener('keydown', (event) => {
  const from = boxes.indexOf(event.target);
  if (from < 0 || !(event.key in moves)) return;
  const to = boxes[from + moves[event.key]];
  if (to) to.focus();
  event.preventDefault();
});

watch('value', show);
show();
