/** Motion: boxes of what changed between consecutive pictures of a stream, also from one batch to the next. */
import { changes } from './change.mjs';
import { createMemory } from './memory.mjs';
import { openPictures } from './pictures.mjs';

const SMALL = { width: 160, height: 90 };
const USUAL = { threshold: 14, min_area: 0.0005, most: 20 };
/** Streams, at 14.4 kB each of those that there are: beyond, streams that are seen in turn forget each other. */
const memory = createMemory(10_000);
let settings;
let pictures;

export async function setup({ options }) {
  settings = options;
  pictures = await openPictures(SMALL);
  return { detector: 'frame difference', labels: ['motion'], device: 'cpu' };
}

/** The first picture ever of a stream has nothing to be compared with: it shows no motion. */
export async function predict(frames, options) {
  const wanted = { ...USUAL, ...settings, ...options };
  const answers = await pictures.decode(frames.map(({ file }) => file));
  return frames.map((frame, index) => {
    const { pixels, error } = answers[index];
    if (error !== undefined) return { error };
    const before = memory.before(frame);
    memory.keep(frame, pixels);
    return before === null ? [] : changes(before, pixels, SMALL, wanted).map((change) => finding(change, frame));
  });
}

function finding({ box: [x1, y1, x2, y2], confidence }, { width, height }) {
  const x = (cell) => Math.round((cell * width) / SMALL.width);
  const y = (cell) => Math.round((cell * height) / SMALL.height);
  return { class: 'motion', confidence, box: [x(x1), y(y1), x(x2), y(y2)] };
}
