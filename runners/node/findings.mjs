/**
 * What a model found, from its author's words to the protocol's: plain JSON, checked in shape and size.
 *
 * Lookout checks it again. Checked here, a bad finding never makes a message that Lookout cannot read.
 */

/** Bytes of JSON: of one finding, and of all of a frame. */
const MAX_FINDING = 16 * 1024;
const MAX_FINDINGS = 256 * 1024;
const MAX_DEPTH = 32;
const SHOWN_CHARACTERS = 60;

/** Says what is wrong, and where. */
export class Invalid extends Error {}

export function toFindings(answer) {
  let size = 0;
  return list(answer, 'detections', (found, at) => {
    const finding = toFinding(found, at);
    const bytes = Buffer.byteLength(JSON.stringify(finding));
    if (bytes > MAX_FINDING) throw new Invalid(`${at} is ${bytes} bytes of JSON, more than ${MAX_FINDING}`);
    size += bytes;
    if (size > MAX_FINDINGS) throw new Invalid(`detections are more than ${MAX_FINDINGS} bytes of JSON`);
    return finding;
  });
}

function toFinding(found, at) {
  needObject(found, at);
  const finding = { class: name(found.class ?? found.label, `${at}.class`), confidence: confidence(found.confidence, `${at}.confidence`) };
  for (const [field, convert] of Object.entries(DETAILS)) {
    const value = field === 'box' ? found.box ?? found.bbox : found[field];
    if (value !== undefined && value !== null) finding[field] = convert(value, `${at}.${field}`);
  }
  return finding;
}

const DETAILS = { box, track, polygon, mask, keypoints, attributes, embedding, extra: json };

/** Models that name no classes give their numbers. */
function name(value, at) {
  if (typeof value !== 'string' && !Number.isFinite(value)) throw wrong(value, at, 'a text');
  return String(value);
}

function confidence(value, at) {
  const found = number(value, at);
  if (found < 0 || found > 1) throw wrong(value, at, 'between 0 and 1');
  return found;
}

function box(value, at) {
  const numbers = list(value, at, number);
  if (numbers.length !== 4) throw wrong(numbers, at, 'four numbers');
  return numbers;
}

function track(value, at) {
  if (typeof value === 'string') return value;
  const found = number(value, at);
  if (Number.isInteger(found) && !Number.isSafeInteger(found)) throw wrong(value, at, 'a text or a number below 2^53');
  return found;
}

function polygon(value, at) {
  const ring = list(value, at, point);
  if (ring.length < 3) throw wrong(ring, at, 'a ring of at least three points');
  return ring;
}

function point(value, at) {
  const numbers = list(value, at, pixels);
  if (numbers.length !== 2) throw wrong(numbers, at, 'a point [x, y]');
  return numbers;
}

function mask(value, at) {
  needObject(value, at);
  const size = list(value.size, `${at}.size`, (side, where) => whole(side, where, 1));
  if (size.length !== 2) throw wrong(size, `${at}.size`, '[height, width]');
  return { size, counts: runLengths(value.counts, `${at}.counts`, size[0] * size[1]) };
}

function runLengths(value, at, area) {
  if (typeof value === 'string') {
    if (!/^[0-o]+$/.test(value)) throw wrong(value, at, 'run lengths as COCO compresses them');
    return value;
  }
  const lengths = list(value, at, (length, where) => whole(length, where, 0));
  const sum = lengths.reduce((total, length) => total + length, 0);
  if (sum !== area) throw new Invalid(`${at} add up to ${sum}, not to height times width, ${area}`);
  return lengths;
}

function keypoints(value, at) {
  return list(value, at, keypoint);
}

/** From an object, or from x, y and perhaps the confidence. */
function keypoint(value, at) {
  const { x, y, confidence: sure, name: called } = isIterable(value) ? fromList(value, at) : needObject(value, at);
  return {
    x: pixels(x, `${at}.x`),
    y: pixels(y, `${at}.y`),
    ...(sure === undefined || sure === null ? {} : { confidence: confidence(sure, `${at}.confidence`) }),
    ...(called === undefined || called === null ? {} : { name: name(called, `${at}.name`) }),
  };
}

function fromList(value, at) {
  const [x, y, sure, ...more] = value;
  if (y === undefined || more.length > 0) throw wrong(value, at, '[x, y] or [x, y, confidence]');
  return { x, y, confidence: sure };
}

function attributes(value, at) {
  needObject(value, at);
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, attribute(one, member(at, key))]));
}

function attribute(value, at) {
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value !== 'number' || !Number.isFinite(value)) throw wrong(value, at, 'a text, a number, true or false');
  return value;
}

/** To the seven digits that a float of 32 bits has: all of them would be twice as long. */
function embedding(value, at) {
  const numbers = list(value, at, (one, where) => Number(number(one, where).toPrecision(7)));
  if (numbers.length === 0) throw wrong(numbers, at, 'a list with numbers');
  return numbers;
}

function json(value, at, depth = 0) {
  if (typeof value?.toJSON === 'function') return json(value.toJSON(), at, depth);
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return number(value, at);
  if (typeof value !== 'object') throw wrong(value, at, 'JSON');
  if (depth === MAX_DEPTH) throw new Invalid(`${at} is nested deeper than ${MAX_DEPTH} levels`);
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return list(value, at, (one, where) => json(one, where, depth + 1));
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(entries.map(([key, one]) => [key, json(one, member(at, key), depth + 1)]));
}

/** A key may be of any length. */
function member(at, key) {
  return `${at}.${key.slice(0, SHOWN_CHARACTERS)}`;
}

/** Of typed arrays of 64 bits too. */
function number(value, at) {
  const found = typeof value === 'bigint' ? Number(value) : value;
  if (typeof found !== 'number' || !Number.isFinite(found)) throw wrong(value, at, 'a number');
  return found;
}

/** To a hundredth: more digits would only be longer. */
function pixels(value, at) {
  return Math.round(number(value, at) * 100) / 100;
}

function whole(value, at, least) {
  const found = number(value, at);
  if (!Number.isInteger(found) || found < least) throw wrong(value, at, `a whole number from ${least}`);
  return found;
}

/** Spreading turns typed arrays into lists that JSON knows. */
function list(value, at, item) {
  if (!isIterable(value)) throw wrong(value, at, 'a list');
  return [...value].map((one, i) => item(one, `${at}[${i}]`));
}

function isIterable(value) {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}

function needObject(value, at) {
  if (typeof value !== 'object' || value === null || isIterable(value)) throw wrong(value, at, 'an object');
  return value;
}

function wrong(value, at, expected) {
  return new Invalid(`${at} is ${shown(value)}, not ${expected}`);
}

function shown(value) {
  if (value === undefined || value === null) return 'missing';
  if (typeof value !== 'object' && typeof value !== 'string') return String(value);
  try {
    return JSON.stringify(value).slice(0, SHOWN_CHARACTERS);
  } catch {
    // It holds itself, or numbers of 64 bits.
    return String(value);
  }
}
