// The walk's scrubber: a frame at a time, with crosses where the model means the objects to stand.
const root = element.querySelector('.walk');
const body = root.querySelector('.walk-body');
const scrub = root.querySelector('.walk-scrub');
let key = '';

function fill() {
  const { frames, objects } = props.value;
  const frame = frames[scrub.value - 1];
  const picture = body.querySelector('.picture');
  picture.src = source(frame.x0);
  picture.alt = `${props.title}, frame ${scrub.value} of ${frames.length}. ${frame.told}`;
  drawMarks(body, frame, { objects }, props.names, { rings: false, places: true });
  const told = body.querySelector('.told');
  told.textContent = frame.told;
  told.classList.toggle('good', frame.exact);
  told.classList.toggle('bad', !frame.exact);
  scrub.setAttribute('aria-valuetext', `Frame ${scrub.value} of ${frames.length}`);
}

function show() {
  const walk = props.value ?? {};
  root.querySelector('.walk-note').textContent = walk.note ?? '';
  body.hidden = !walk.frames;
  if (!walk.frames) return;
  scrub.max = walk.frames.length;
  root.querySelector('.walk-words').textContent = walkWords(walk.frames);
  if (walk.key !== key) scrub.value = 1;
  key = walk.key;
  fill();
}

scrub.addEventListener('input', fill);
watch('value', show);
show();
