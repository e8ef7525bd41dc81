/**
 * What a model found, from its author's words to the protocol's: plain JSON, checked in shape and size.
 *
 * Lookout checks it again. Checked here, a bad finding is told in words that its author knows, and boxes are fitted to
 * the frame, whose size is known here.
 */

/** Bytes of JSON: of one finding, and of all of a frame. */
const MAX_FINDING = 16 * 1024;
const MAX_FINDINGS = 256 * 1024;
const MAX_DEPTH = 32;
/** A generator may never end. */
const MAX_ANSWERS = 10_000;
const MAX_ELEMENTS = 16 * 1024;
/** From here on a number is written with an exponent: it measures something. One below that is whole may be a name. */
const WRITTEN_AS_FLOAT = 1e21;
const SHOWN_CHARACTERS = 60;
/** By how much a confidence may miss 0 and 1: sums of rounded numbers do. */
const ROUNDING = 0.001;

/** Says what is wrong, and where. */
export class Invalid extends Error {}

/** What `predict` returned, as a list with an answer for each of `count` frames. */
export function toAnswers(said, count) {
  if (!isIterable(said)) throw new Invalid(`predict returned ${kind(said)}, not a list with a list of findings for each frame`);
  const answers = upTo(MAX_ANSWERS, said);
  if (answers.length > 0 && answers.every(isFinding)) throw new Invalid('predict returned a flat list of findings, not a list with a list of findings for each frame');
  if (answers.length !== count) throw new Invalid(`predict returned ${answers.length} answers for ${count} frames; each frame needs one, [] where nothing is found`);
  return answers;
}

/** The findings of one frame, of which index, width and height are looked at. `warn(about, words)` is called for what looks odd. */
export function toFindings(answer, frame, warn) {
  const at = `frame ${frame.index}`;
  if (isFinding(answer)) throw new Invalid(`${at}: the answer is a single finding, not a list of findings; put it into a list`);
  if (!isIterable(answer)) throw new Invalid(`${at}: the answer is ${kind(answer)}, not a list of findings; nothing found is []`);
  const findings = [];
  let size = 0;
  for (const found of answer) {
    const where = `${at}, finding ${findings.length}`;
    const finding = toFinding(found, where, frame, warn);
    const bytes = Buffer.byteLength(JSON.stringify(finding));
    if (bytes > MAX_FINDING) throw new Invalid(`${where}: it is ${bytes} bytes of JSON, more than ${MAX_FINDING}`);
    size += bytes;
    if (size > MAX_FINDINGS) throw new Invalid(`${at}: the findings are more than ${MAX_FINDINGS} bytes of JSON`);
    findings.push(finding);
  }
  return findings;
}

function toFinding(found, where, frame, warn) {
  try {
    needObject(found, 'it');
    const finding = { class: name(required(found, 'class', 'label'), 'class'), confidence: confidence(required(found, 'confidence'), 'confidence') };
    const sides = found.box ?? found.bbox ?? null;
    if (sides !== null) finding.box = fitted(box(sides, 'box'), frame, warn);
    for (const [field, convert] of Object.entries(DETAILS)) {
      const value = found[field];
      if (value !== undefined && value !== null) finding[field] = convert(value, field);
    }
    return finding;
  } catch (error) {
    throw error instanceof Invalid ? new Invalid(`${where}: ${error.message}`) : error;
  }
}

const DETAILS = { track, polygon, mask, keypoints, attributes, embedding, extra: json };

/** What is no list, in words. */
function kind(answer) {
  if (answer === null || answer === undefined) return String(answer);
  if (typeof answer === 'string') return `a text, ${shown(answer)}`;
  if (typeof answer === 'object' && Symbol.asyncIterator in answer) return 'an async generator (define it without async)';
  return typeof answer === 'object' ? `an object, ${shown(answer)}` : shown(answer);
}

function isFinding(answer) {
  return typeof answer === 'object' && answer !== null && 'confidence' in answer && ('class' in answer || 'label' in answer);
}

function required(found, key, alias = key) {
  const value = found[key] ?? found[alias] ?? null;
  if (value === null) {
    const there = cut(Object.keys(found).filter((one) => (found[one] ?? null) !== null).join(', '));
    throw new Invalid(`${key} is missing; ${there === '' ? 'there is nothing' : `there are ${there}`}`);
  }
  return value;
}

/** Models that name no classes give their numbers. */
function name(value, at) {
  if (typeof value !== 'string' && !Number.isFinite(value)) throw wrong(value, at, 'a text');
  return String(value);
}

function confidence(value, at) {
  const found = number(value, at);
  if (found < -ROUNDING || found > 1 + ROUNDING) throw wrong(value, at, 'between 0 and 1');
  return Math.min(Math.max(found, 0), 1);
}

function box(value, at) {
  const numbers = list(value, at, number);
  if (numbers.length !== 4) throw wrong(numbers, at, 'four numbers');
  return numbers;
}

/** The box within the frame. */
function fitted(sides, { width, height }, warn) {
  const [x1, y1, x2, y2] = sides;
  const said = shown(sides);
  if (x2 < x1 || y2 < y1) {
    if (x1 >= 0 && x2 >= 0 && x1 + x2 <= width && y1 >= 0 && y2 >= 0 && y1 + y2 <= height) {
      warn('corner and size', `the box ${said} looks like x, y, width, height; a box is x1, y1, x2, y2 in pixels of the frame`);
    }
    throw new Invalid(`box is ${said}, and ${x2 < x1 ? 'x2 is less than x1' : 'y2 is less than y1'}`);
  }
  const [least, most] = [Math.min(...sides), Math.max(...sides)];
  if (least >= 0 && most > 0 && most <= 1) {
    warn('shares', `the box ${said} looks like shares of the frame, 0 to 1; a box is x1, y1, x2, y2 in pixels of the frame`);
  }
  if (x1 > width || y1 > height || x2 < 0 || y2 < 0) {
    warn('outside', `the box ${said} lies outside the frame of ${width} x ${height} pixels; nothing of it is left`);
  }
  return sides.map((side, i) => Math.min(Math.max(side, 0), i % 2 === 0 ? width : height));
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
  const said = upTo(4, value);
  const [x, y, sure] = said;
  if (y === undefined || said.length > 3) throw wrong(said, at, '[x, y] or [x, y, confidence]');
  return { x, y, confidence: sure };
}

function attributes(value, at) {
  needObject(value, at);
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, attribute(one, member(at, key))]));
}

function attribute(value, at) {
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value !== 'bigint' && !Number.isFinite(value)) throw wrong(value, at, 'a text, a number, true or false');
  return exact(value, at);
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
  if (typeof value === 'number' || typeof value === 'bigint') return exact(value, at);
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

/** What a number cannot hold would be rounded, and two things would share it. A number may have been rounded before it came here. */
function exact(value, at) {
  const isWhole = typeof value === 'bigint' || (Number.isInteger(value) && Math.abs(value) < WRITTEN_AS_FLOAT);
  if (isWhole && !Number.isSafeInteger(Number(value))) throw wrong(value, at, 'a text or a number below 2^53');
  return number(value, at);
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
  const elements = upTo(MAX_ELEMENTS + 1, value);
  if (elements.length > MAX_ELEMENTS) throw new Invalid(`${at} has more than ${MAX_ELEMENTS} elements`);
  return elements.map((one, i) => item(one, `${at}[${i}]`));
}

function upTo(most, values) {
  const taken = [];
  for (const value of values) if (taken.push(value) === most) break;
  return taken;
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
  if (typeof value !== 'object' && typeof value !== 'string') return cut(String(value));
  try {
    return cut(JSON.stringify(value));
  } catch {
    // It holds itself, or numbers of 64 bits.
    return cut(String(value));
  }
}

function cut(text) {
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`;
}
