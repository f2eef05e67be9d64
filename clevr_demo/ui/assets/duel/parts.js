// Making nodes of the page.
const SVG = 'http://www.w3.org/2000/svg';

function shape(tag, attributes, parent) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  parent?.append(node);
  return node;
}

function make(tag, className, parent, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  parent?.append(node);
  return node;
}

function drawing(name, parent) {
  const [colour, form] = name.split(' ');
  const svg = shape('svg', { class: `object colour-${colour}`, 'aria-hidden': 'true' }, parent);
  shape('use', { href: `#object-${form}` }, svg);
  return svg;
}
