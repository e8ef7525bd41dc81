/** YOLO's tensors, pure: bytes to input planes, output numbers to findings `{box (of the input), confidence, label}`. */

/** Interleaved RGB bytes as three planes of floats. */
export function planes(pixels, { order, scale }) {
  const size = pixels.length / 3;
  const out = new Float32Array(pixels.length);
  const channels = order === 'bgr' ? [2, 1, 0] : [0, 1, 2];
  for (const [plane, channel] of channels.entries()) {
    for (let from = channel, to = plane * size; from < pixels.length; from += 3, to += 1) out[to] = pixels[from] * scale;
  }
  return out;
}

const STRIDES = [8, 16, 32];
/** Of a YOLOX row: x, y, width, height, objectness; the class scores follow. */
const YOLOX_HEAD = 5;

/** How the output for an input of this size is read, `(values, atLeast)`: its thousands of cells are the same for each picture. */
export function yoloxDecoder(input) {
  const cells = STRIDES.flatMap((stride) => grid(input, stride));
  return (values, atLeast) => decodeYolox(values, input, cells, atLeast);
}

/** One row per cell of three grids; centres are offsets in cells, sizes logarithms of cells. */
function decodeYolox(values, input, cells, atLeast) {
  const rowLength = values.length / cells.length;
  if (!Number.isInteger(rowLength) || rowLength <= YOLOX_HEAD) throw new Error(`${values.length} numbers are no YOLOX output for ${input.width} x ${input.height}`);
  const found = [];
  for (const [row, { column, line, stride }] of cells.entries()) {
    const at = row * rowLength;
    const objectness = values[at + 4];
    if (objectness < atLeast) continue;
    const best = highest(rowLength - YOLOX_HEAD, (label) => values[at + YOLOX_HEAD + label]);
    const confidence = objectness * best.value;
    if (confidence < atLeast) continue;
    const centre = [(values[at] + column) * stride, (values[at + 1] + line) * stride];
    const size = [Math.exp(values[at + 2]) * stride, Math.exp(values[at + 3]) * stride];
    found.push({ box: around(centre, size), confidence, label: best.label });
  }
  return found;
}

function grid(input, stride) {
  const columns = input.width / stride;
  return Array.from({ length: columns * (input.height / stride) }, (_, cell) => ({ column: cell % columns, line: Math.floor(cell / columns), stride }));
}

/** Of a YOLOv8 column: centre x, centre y, width, height in pixels of the input; the class scores follow. */
const YOLOV8_HEAD = 4;

/** One column per box, as many rows as four and the classes. */
export function decodeYolov8(values, rows, atLeast) {
  const columns = values.length / rows;
  const found = [];
  for (let column = 0; column < columns; column += 1) {
    const at = (row) => values[row * columns + column];
    const best = highest(rows - YOLOV8_HEAD, (label) => at(YOLOV8_HEAD + label));
    if (best.value < atLeast) continue;
    found.push({ box: around([at(0), at(1)], [at(2), at(3)]), confidence: best.value, label: best.label });
  }
  return found;
}

function highest(count, valueOf) {
  let label = 0;
  let value = valueOf(0);
  for (let i = 1; i < count; i += 1) {
    const other = valueOf(i);
    if (other > value) [label, value] = [i, other];
  }
  return { label, value };
}

const around = ([x, y], [width, height]) => [x - width / 2, y - height / 2, x + width / 2, y + height / 2];
