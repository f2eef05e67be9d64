// The marks that one takes: a handle at each object's place, with two sliders for those who do not point, and a pin on
// a given place. They are laid anew whenever the pictures change, and stay the same nodes while they are moved.
function node(tag, className, attributes, parent) {
  const made = document.createElement(tag);
  made.className = className;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  parent.append(made);
  return made;
}

function makeGrip(canvas, name) {
  const grip = node('div', 'grip', { role: 'group', 'data-name': name, 'aria-label': name }, canvas);
  node('span', 'grip-dot', {}, grip);
  node('span', 'grip-name', { 'aria-hidden': 'true' }, grip);
  // The keyboard stops at one of both, whose arrow keys serve the other too.
  const slider = { type: 'range', min: 0, max: MOST_PLACE, step: 0.5 };
  node('input', 'grip-slider', { ...slider, 'data-axis': 1, 'aria-label': `${name}, column` }, grip);
  node('input', 'grip-slider', { ...slider, 'data-axis': 0, 'aria-label': `${name}, row`, tabindex: -1 }, grip);
  node('button', 'pin', { type: 'button', tabindex: -1, 'aria-label': `Let the models place the ${name}`, title: 'Placed by you: let the models place it' }, grip);
  return grip;
}

function fillGrip(grip, { name, place, given }, chosen) {
  const [down, across] = shareOf(place);
  const shown = halved(place);
  Object.assign(grip.style, { top: `${100 * down}%`, left: `${100 * across}%` });
  grip.style.setProperty('--across', across);
  grip.classList.toggle('given', given);
  grip.classList.toggle('chosen', chosen);
  grip.classList.toggle('low', down < 0.16); // its name stands below it
  grip.querySelector('.grip-name').textContent = name;
  grip.querySelector('.pin').hidden = !given;
  for (const slider of grip.querySelectorAll('.grip-slider')) {
    slider.value = shown[Number(slider.dataset.axis)];
    slider.setAttribute('aria-valuetext', `${PLACE_WORDS(shown)}, placed by ${given ? 'you' : 'the model'}`);
  }
}

// The marks of a model's picture; those of objects that are gone go.
function layGrips(stage, marks, chosen, armed) {
  const canvas = stage.querySelector('.canvas');
  const grips = new Map([...canvas.querySelectorAll('.grip')].map((grip) => [grip.dataset.name, grip]));
  for (const [name, grip] of grips) if (!marks.some((mark) => mark.name === name)) grip.remove();
  for (const mark of marks) fillGrip(grips.get(mark.name) ?? makeGrip(canvas, mark.name), mark, mark.name === chosen);
  canvas.classList.toggle('armed', armed);
}

// An object's icon that follows the pointer where there is no picture.
function ghostOf(name) {
  const [colour, form] = name.split(' ');
  const ghost = node('div', `ghost colour-${colour}`, { 'aria-hidden': 'true' }, document.body);
  ghost.innerHTML = `<svg class="object"><use href="#object-${form}"></use></svg>`;
  return { move: ({ x, y }) => (ghost.style.transform = `translate(${x}px, ${y}px)`), show: (shown) => (ghost.hidden = !shown), remove: () => ghost.remove() };
}
