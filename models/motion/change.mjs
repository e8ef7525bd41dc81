/** What changed between two small grey pictures, pure: boxes in cells of the pictures, with how sure. */

/** How far above the usual difference a cell must stand out; six medians are four standard deviations of plain noise. */
const NOISE = 6;
/** Changed cells this near to each other are one thing. */
const REACH = 2;

/**
 * Largest change first. A change of light that is the same everywhere is no change, and noise raises the threshold by
 * itself. Confidence is mean change / (mean change + threshold): 0.5 is just enough, 0.75 three times that.
 */
export function changes(before, after, size, { threshold, min_area, most }) {
  const difference = levelled(before, after);
  const limit = Math.max(threshold, NOISE * median(difference.map(Math.abs)));
  const changed = Uint8Array.from(difference, (value) => (Math.abs(value) > limit ? 1 : 0));
  return regions(grown(changed, size), size)
    .map((cells) => cells.filter((cell) => changed[cell] === 1))
    .filter((cells) => cells.length >= min_area * size.width * size.height)
    .sort((a, b) => b.length - a.length)
    .slice(0, most)
    .map((cells) => {
      const mean = cells.reduce((sum, cell) => sum + Math.abs(difference[cell]), 0) / cells.length;
      return { box: around(cells, size), confidence: mean / (mean + limit) };
    });
}

/** After less before, less what all cells have in common. */
function levelled(before, after) {
  const difference = Int16Array.from(after, (value, cell) => value - before[cell]);
  const common = median(difference);
  return difference.map((value) => value - common);
}

function median(values) {
  return values.toSorted()[values.length >> 1];
}

function grown(changed, { width, height }) {
  const out = new Uint8Array(changed.length);
  for (const [cell, is] of changed.entries()) {
    if (is === 0) continue;
    const x = cell % width;
    const y = (cell - x) / width;
    const [left, right] = [Math.max(0, x - REACH), Math.min(width - 1, x + REACH)];
    for (let line = Math.max(0, y - REACH); line <= Math.min(height - 1, y + REACH); line += 1) {
      out.fill(1, line * width + left, line * width + right + 1);
    }
  }
  return out;
}

/** The connected cells of a mask, a list each. Empties the mask on the way. */
function regions(mask, { width, height }) {
  const found = [];
  for (let start = mask.indexOf(1); start !== -1; start = mask.indexOf(1, start)) {
    const cells = [start];
    mask[start] = 0;
    for (let next = 0; next < cells.length; next += 1) {
      const cell = cells[next];
      const x = cell % width;
      const near = [x > 0 && cell - 1, x < width - 1 && cell + 1, cell >= width && cell - width, cell < width * (height - 1) && cell + width];
      for (const other of near) {
        if (other === false || mask[other] === 0) continue;
        mask[other] = 0;
        cells.push(other);
      }
    }
    found.push(cells);
  }
  return found;
}

function around(cells, { width }) {
  let [x1, y1, x2, y2] = [Infinity, Infinity, 0, 0];
  for (const cell of cells) {
    const x = cell % width;
    const y = (cell - x) / width;
    [x1, y1, x2, y2] = [Math.min(x1, x), Math.min(y1, y), Math.max(x2, x + 1), Math.max(y2, y + 1)];
  }
  return [x1, y1, x2, y2];
}
