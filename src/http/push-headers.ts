/** What a camera says of a picture that it pushes, in headers: when it was taken, and what it has seen in it. */
import { LookoutError } from '../errors.ts';
import type { Box, Detection } from '../types.ts';
import { isTime } from '../words/time.ts';

export interface CaptureTime {
  readonly captured_at: string;
  /** What was made of what the camera said; null: that. */
  readonly note: string | null;
}

const MOST_FINDINGS = 100;
const LONGEST_CLASS = 256;
/** By which a camera's clock may be wrong. */
const MOST_OFF_MS = 60_000;

/** Throws `bad_request`. */
export function readCaptureTime(header: string | undefined, nowMs: number): CaptureTime {
  const arrival = new Date(nowMs).toISOString();
  if (header === undefined || header.trim() === '') return { captured_at: arrival, note: null };
  const said = momentOf(header.trim());
  if (said === null) throw new LookoutError('bad_request', 'X-Captured-At must be a time such as 2026-01-31T12:00:00.250Z, or seconds since 1970.');
  const offMs = said - nowMs;
  if (Math.abs(offMs) <= MOST_OFF_MS) return { captured_at: new Date(said).toISOString(), note: null };
  return { captured_at: arrival, note: `X-Captured-At is ${Math.round(Math.abs(offMs) / 1000)} s ${offMs > 0 ? 'ahead of' : 'behind'} this machine's clock: the time of arrival stands for it` };
}

function momentOf(text: string): number | null {
  const isEpoch = /^\d{1,12}(\.\d{1,9})?$/.test(text);
  return isEpoch ? Math.round(Number(text) * 1000) : isTime(text) ? Date.parse(text) : null;
}

/**
 * `class`, or `class;confidence`, or `class;confidence;x1,y1,x2,y2`, and a comma and a blank before the next: so proxies join headers that are there several times. Blanks
 * belong to the parts: where others could take them too, a line of blanks would be tried in every way.
 */
const FINDING = /([^;,]*)(?:;([^;,]*)(?:;([^;,]*,[^;,]*,[^;,]*,[^;,]*))?)?(?:,\s|$)/y;

/** Throws `bad_request`. */
export function readFindings(headers: readonly string[]): readonly Detection[] {
  const findings = headers.flatMap(readLine);
  if (findings.length > MOST_FINDINGS) throw new LookoutError('bad_request', `X-Finding tells of ${findings.length} things, and ${MOST_FINDINGS} are the most for a picture.`);
  return findings;
}

function readLine(line: string): readonly Detection[] {
  const findings: Detection[] = [];
  FINDING.lastIndex = 0;
  while (FINDING.lastIndex < line.length) {
    const at = FINDING.lastIndex;
    const [, name = '', confidence = '', box] = FINDING.exec(line) ?? [];
    if (FINDING.lastIndex <= at) throw wrong('it must be class, class;confidence, or class;confidence;x1,y1,x2,y2');
    findings.push({ class: classOf(name.trim()), confidence: confidenceOf(confidence.trim()), ...(box === undefined ? {} : { box: boxOf(box) }) });
  }
  return findings;
}

function classOf(encoded: string): string {
  let name: string;
  try {
    name = decodeURIComponent(encoded);
  } catch {
    throw wrong('the class is to be percent-encoded UTF-8: a % is %25');
  }
  if (name === '' || name.length > LONGEST_CLASS) throw wrong(`the class must have 1 to ${LONGEST_CLASS} characters`);
  return name;
}

function confidenceOf(text: string): number {
  if (text === '') return 1;
  if (!isNumber(text) || Number(text) < 0 || Number(text) > 1) throw wrong('the confidence must be a number from 0 to 1');
  return Number(text);
}

function boxOf(text: string): Box {
  const words = text.split(',').map((word) => word.trim());
  const [x1 = NaN, y1 = NaN, x2 = NaN, y2 = NaN] = words.map((word) => (isNumber(word) ? Number(word) : NaN));
  if (!(x1 <= x2 && y1 <= y2)) throw wrong('the box must be x1,y1,x2,y2 in pixels, left before right and upper before lower');
  return [x1, y1, x2, y2];
}

const isNumber = (text: string): boolean => /^-?\d{1,9}(\.\d{1,9})?$/.test(text);

function wrong(why: string): LookoutError {
  return new LookoutError('bad_request', `X-Finding is not understood: ${why}.`);
}
