/** One finding as a runner says it: what it may carry, and how large it may be. The authors' page is runners/README.md. */
import type { Detection, Keypoint, Mask, Point, Prediction } from '../types.ts';
import { Invalid, box, confidence, count, holdsMore, index, json, list, member, not, number, object, optional, text } from './shape.ts';

/** Bytes of JSON. A record holds the findings of a whole batch, and is read as a whole. */
export const MAX_FINDING = 16 * 1024;
export const MAX_FINDINGS_OF_A_FRAME = 256 * 1024;

type Details = Omit<Detection, 'class' | 'confidence' | 'box'>;
type Check<Name extends keyof Details> = (value: unknown, at: string) => Exclude<Details[Name], undefined>;

/** In the order in which they stand in a record. */
const DETAILS: { readonly [Name in keyof Details]-?: Check<Name> } = { track, polygon, mask, keypoints, attributes, embedding, extra: json };

/** The findings of one frame. Throws Invalid with what is wrong, and where. */
export function parseFindings(value: unknown, at: string): readonly Detection[] {
  let size = 0;
  return list(value, at, (said, where) => {
    const finding = parseFinding(said, where);
    const bytes = sizeOf(finding);
    if (bytes > MAX_FINDING) throw new Invalid(`${where} is ${bytes} bytes of JSON, more than ${MAX_FINDING}`);
    size += bytes;
    if (size > MAX_FINDINGS_OF_A_FRAME) throw new Invalid(`${at} are more than ${MAX_FINDINGS_OF_A_FRAME} bytes of JSON`);
    return finding;
  });
}

function parseFinding(value: unknown, at: string): Detection {
  const said = object(value, at);
  if (isTooLarge(said)) throw new Invalid(`${at} is more than ${MAX_FINDING} bytes of JSON`);
  const details = Object.entries({ box, ...DETAILS }).map(([name, check]) => [name, optional<unknown>(said[name], `${at}.${name}`, check)] as const);
  return {
    class: text(said['class'], `${at}.class`),
    confidence: confidence(said['confidence'], `${at}.confidence`),
    ...given(details),
  };
}

/** Whether its details cannot be small enough: each value takes a byte at least. What else is said is not looked at. */
function isTooLarge(said: Readonly<Record<string, unknown>>): boolean {
  return holdsMore(Object.keys({ box, ...DETAILS }).map((name) => said[name]), MAX_FINDING);
}

/** What `read` makes of a frame; where it throws Invalid, that is what is wrong with the frame. */
export function orBadFrame(frame: number, read: () => Prediction): Prediction {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Invalid)) throw error;
    return { index: frame, error: { code: 'bad_frame', message: error.message } };
  }
}

/** What of a finding's details is well shaped; the rest is left out without a word. */
export function detailsOf(said: Readonly<Record<string, unknown>>): Details {
  if (isTooLarge(said)) return {};
  return given(Object.entries(DETAILS).map(([name, check]) => [name, wellShaped(said[name], check)] as const));
}

export function sizeOf(findings: unknown): number {
  return Buffer.byteLength(JSON.stringify(findings));
}

function given(details: readonly (readonly [string, unknown])[]): Details {
  return Object.fromEntries(details.filter(([, value]) => value !== null));
}

function wellShaped(value: unknown, check: (value: unknown, at: string) => unknown): unknown {
  try {
    return optional(value, '', check);
  } catch (error) {
    if (error instanceof Invalid) return null;
    throw error;
  }
}

function track(value: unknown, at: string): string | number {
  if (typeof value === 'string') return value;
  // A larger whole number has been rounded by now, and two things would share it.
  if (typeof value !== 'number' || !Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))) {
    throw not(value, at, 'a text or a number below 2^53');
  }
  return value;
}

function polygon(value: unknown, at: string): readonly Point[] {
  const ring = list(value, at, point);
  if (ring.length < 3) throw not(value, at, 'a ring of at least three points');
  return ring;
}

function point(value: unknown, at: string): Point {
  const [x, y, ...more] = list(value, at, number);
  if (x === undefined || y === undefined || more.length > 0) throw not(value, at, 'a point [x, y]');
  return [x, y];
}

function mask(value: unknown, at: string): Mask {
  const { size, counts } = object(value, at);
  const [height, width, ...more] = list(size, `${at}.size`, count);
  if (height === undefined || width === undefined || more.length > 0) throw not(size, `${at}.size`, '[height, width]');
  return { size: [height, width], counts: typeof counts === 'string' ? compressed(counts, `${at}.counts`) : lengths(counts, `${at}.counts`, height * width) };
}

/** COCO writes six bits a character, from `0` on. */
function compressed(value: string, at: string): string {
  if (!/^[0-o]+$/.test(value)) throw not(value, at, 'run lengths as COCO compresses them');
  return value;
}

function lengths(value: unknown, at: string, area: number): readonly number[] {
  const found = list(value, at, index);
  const sum = found.reduce((total, length) => total + length, 0);
  if (sum !== area) throw new Invalid(`${at} add up to ${sum}, not to height times width, ${area}`);
  return found;
}

function keypoints(value: unknown, at: string): readonly Keypoint[] {
  return list(value, at, keypoint);
}

function keypoint(value: unknown, at: string): Keypoint {
  const said = object(value, at);
  const sure = optional(said['confidence'], `${at}.confidence`, confidence);
  const name = optional(said['name'], `${at}.name`, text);
  return {
    x: number(said['x'], `${at}.x`),
    y: number(said['y'], `${at}.y`),
    ...(sure === null ? {} : { confidence: sure }),
    ...(name === null ? {} : { name }),
  };
}

function attributes(value: unknown, at: string): Readonly<Record<string, string | number | boolean>> {
  const said = object(value, at);
  for (const [name, one] of Object.entries(said)) {
    const fits = typeof one === 'string' || typeof one === 'boolean' || (typeof one === 'number' && Number.isFinite(one));
    if (!fits) throw not(one, member(at, name), 'a text, a number, true or false');
  }
  return said as Record<string, string | number | boolean>;
}

function embedding(value: unknown, at: string): readonly number[] {
  const numbers = list(value, at, number);
  if (numbers.length === 0) throw not(value, at, 'a list with numbers');
  return numbers;
}
