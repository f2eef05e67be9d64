// The scoreboard: its figures are fetched when it is first seen; whatever carries a choice opens its pictures below.
const root = element.querySelector('.board');
let kept = {};
let origin = null; // what was pressed last

async function fill() {
  kept = (await Promise.resolve(server.board({})).catch(() => null)) ?? {};
  if (!kept.html) {
    root.querySelector('.board-wait').textContent = 'The figures could not be had; open the page anew.';
    return;
  }
  root.innerHTML = kept.html;
}

function measure(button) {
  const { show } = button.dataset;
  for (const other of root.querySelectorAll('[data-show]')) other.setAttribute('aria-pressed', String(other === button));
  for (const table of root.querySelectorAll('[data-measure]')) table.hidden = table.dataset.measure !== show;
}

function save(name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([kept.csv], { type: 'text/csv' }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

// The pictures stand below all figures: the page goes there, and back to the figure that was pressed.
function open(button) {
  origin = button;
  for (const other of root.querySelectorAll('.chosen')) other.classList.remove('chosen');
  button.classList.add('chosen');
  props.value = { choice: button.dataset.choice, label: button.getAttribute('aria-label'), at: performance.now() };
  trigger('select');
  head().hidden = false;
  head().querySelector('p').textContent = button.getAttribute('aria-label').replace(' Opens the pictures.', '');
  head().scrollIntoView({ block: 'start' });
  head().querySelector('button').focus({ preventScroll: true });
}

function head() {
  const place = document.getElementById('evidence');
  let found = place.querySelector('.evidence-head');
  if (found) return found;
  found = document.createElement('div');
  found.className = 'evidence-head';
  found.innerHTML = '<p></p><button type="button" class="board-switch">Back to the figure</button>';
  found.querySelector('button').addEventListener('click', () => {
    origin?.scrollIntoView({ block: 'center' });
    origin?.focus({ preventScroll: true });
  });
  place.prepend(found);
  return found;
}

root.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (!button) return;
  if (button.dataset.choice) open(button);
  if (button.dataset.show) measure(button);
  if (button.dataset.save) save(button.dataset.save);
});

const sight = new IntersectionObserver((entries) => {
  if (!entries.some((one) => one.isIntersecting)) return;
  sight.disconnect();
  fill();
});
sight.observe(root);
