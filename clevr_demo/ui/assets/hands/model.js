// Places under one's hands, without a page: pixels of the 64x64 picture, and which mark is meant.
const MOST_PLACE = 63;
const REACH = 22; // half a finger, in the page's pixels
const OFF = 0.08; // of the picture's width: so far outside, an object is taken off
const PLACE_WORDS = ([row, column]) => `row ${row}, column ${column}`;

// In half pixels, within the picture, as links have them.
const halved = (place) => place.map((value) => Math.round(2 * Math.max(0, Math.min(MOST_PLACE, value))) / 2);

// The place under a pointer, in the box of a picture; null where it is well outside.
function placeAt(box, { x, y }) {
  const [across, down] = [(x - box.left) / box.width, (y - box.top) / box.height];
  if (Math.min(across, down) < -OFF || Math.max(across, down) > 1 + OFF) return null;
  return [64 * down - 0.5, 64 * across - 0.5];
}

// Where the middle of a place stands, as shares of the picture's height and width.
const shareOf = ([row, column]) => [(row + 0.5) / 64, (column + 0.5) / 64];

// Of marks, { name, place }, the nearest one within a finger's reach of a pointer.
function nearestMark(marks, box, { x, y }) {
  const far = marks.map(({ place }) => {
    const [down, across] = shareOf(place);
    return Math.hypot(box.left + across * box.width - x, box.top + down * box.height - y);
  });
  const least = Math.min(...far);
  return least <= REACH ? marks[far.indexOf(least)] : null;
}

const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const moved = ([row, column], [down, across], by) => halved([row + by * down, column + by * across]);
