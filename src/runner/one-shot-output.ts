/**
 * What a one-shot program left in its output file, as an answer. Programs were written for the Flask orchestrator, which
 * took almost anything: so does this, and what it cannot make sense of is the error of its frame.
 */
import { basename, resolve } from 'node:path';
import { parsePythonJson } from '../lib/python-json.ts';
import type { Box, Detection, Prediction, RunnerFrame } from '../types.ts';
import { detailsOf, MAX_FINDING, MAX_FINDINGS_OF_A_FRAME, orBadFrame, sizeOf } from './finding.ts';
import { A_DAY_MS, Invalid, items, list, not, number, object, optional, reason, ROUNDING, text } from './shape.ts';

/** Elements of an output, and detections of a frame: above what a detector says that sorts nothing out, below what takes many seconds to read. */
const MOST = 32 * 1024;

export interface OneShotOutput {
  readonly predictions: readonly Prediction[];
  /** Absent: the program measured nothing. */
  readonly inference_ms?: number;
}

/** A prediction for each frame, in order. Throws Invalid when `content` is no list, or nobody can tell which frames it speaks of. */
export function parseOutput(content: string, frames: readonly RunnerFrame[]): OneShotOutput {
  const elements = items(parseJson(content), 'the output');
  if (elements.length > MOST) throw new Invalid(`the output has ${elements.length} elements for ${frames.length} frames, more than ${MOST}`);
  if (elements.length === 0) throw new Invalid('the output mentions none of the frames; one in which nothing was found has detections: []');
  const places = placesOf(elements, frames);
  const predictions = frames.map(({ index }, place) => orBadFrame(index, () => {
    if (!places.includes(place)) throw new Invalid('the output does not mention this frame');
    const count = elements.reduce((sum: number, element, i) => sum + (places[i] === place ? countDetections(element) : 0), 0);
    if (count > MOST) throw new Invalid(`the output has ${count} detections of this frame, more than ${MOST}`);
    const found = elements.flatMap((element, i) => (places[i] === place ? parseElement(element, `[${i}]`) : []));
    return { index, detections: sizeOf(found) > MAX_FINDINGS_OF_A_FRAME ? found.map(plain) : found };
  }));
  const times = elements.map(timeOf).filter((time) => time !== null);
  return times.length === 0 ? { predictions } : { predictions, inference_ms: times.reduce((sum, time) => sum + time) };
}

function parseJson(content: string): unknown {
  const said = content.replace(/^\uFEFF/, '');
  if (said.trim() === '') throw new Invalid('the output file is empty; one in which nothing was found holds an element with detections: [] for each frame');
  if (said.includes('\0')) throw new Invalid('the output is not in UTF-8; write it as that');
  try {
    return parsePythonJson(said);
  } catch (error) {
    throw new Invalid(`the output is not JSON (${String(error)}): ${content.slice(0, 200)}`);
  }
}

/** Of which frame each element speaks: by its `frame_path`; where one tells nothing and there are as many as frames, by their order. */
function placesOf(elements: readonly unknown[], frames: readonly RunnerFrame[]): readonly number[] {
  const places = namedPlaces(elements, frames).filter((place) => place !== null);
  if (places.length === elements.length) return places;
  if (elements.length === frames.length) return [...elements.keys()];
  throw new Invalid(`the output has ${elements.length} elements for ${frames.length} frames, and not each says by its frame_path which it speaks of`);
}

function namedPlaces(elements: readonly unknown[], frames: readonly RunnerFrame[]): readonly (number | null)[] {
  const paths = frames.map(({ file }) => resolve(file));
  const times = new Map<string, number>();
  return elements.map((element) => {
    const path = fieldOf(element, 'frame_path');
    if (typeof path !== 'string') return null;
    const meant = placesWhere(paths, path);
    // One picture may be there several times.
    const time = times.get(path) ?? 0;
    times.set(path, time + 1);
    return meant[time % meant.length] ?? null;
  });
}

/** Where only the names of files are said, those count. */
function placesWhere(paths: readonly string[], said: string): readonly number[] {
  const same = paths.includes(said) ? (path: string) => path === said : (path: string) => basename(path) === basename(said);
  return paths.flatMap((path, place) => (same(path) ? [place] : []));
}

function fieldOf(element: unknown, name: string): unknown {
  return typeof element === 'object' && element !== null ? (element as Readonly<Record<string, unknown>>)[name] : undefined;
}

/** null where it is no time: the Flask orchestrator never read it. */
function timeOf(element: unknown): number | null {
  const time = asNumber(fieldOf(element, 'inference_time_ms'));
  return typeof time === 'number' && time >= 0 && time <= A_DAY_MS ? time : null;
}

/** Throws Invalid with the element's own `error`, too. */
function parseElement(value: unknown, at: string): readonly Found[] {
  const { error, detections } = object(value, at);
  if (error) throw new Invalid(reason(error, `${at}.error`));
  return (optional(detections, `${at}.detections`, (found, where) => list(found, where, parseDetection)) ?? []).flat();
}

function countDetections(element: unknown): number {
  const detections = fieldOf(element, 'detections');
  return Array.isArray(detections) ? detections.length : 0;
}

/** The box is always there: the contract knows no finding without one. */
type Found = Detection & { readonly box: Box };

/** No detection where there is no label. */
function parseDetection(value: unknown, at: string): readonly Found[] {
  const said = object(value, at);
  const name = optional(said['label'], `${at}.label`, label) || optional(said['class'], `${at}.class`, label);
  if (!name) return [];
  const found = {
    class: name,
    confidence: optional(said['confidence'], `${at}.confidence`, share) ?? 0,
    box: boxOf(said['bbox'], `${at}.bbox`) ?? boxOf(said['box'], `${at}.box`) ?? [0, 0, 0, 0] as const,
    ...detailsOf(said),
  };
  return [sizeOf(found) > MAX_FINDING ? plain(found) : found];
}

/** As the Flask orchestrator knew them, whatever their size. */
function plain({ class: name, confidence, box }: Found): Found {
  return { class: name, confidence, box };
}

/** Programs that name no classes give their numbers. */
function label(value: unknown, at: string): string {
  return typeof value === 'number' ? String(value) : text(value, at);
}

/** From 0 to 1, also where it was said in percent. Nobody who says percent without its sign means less than two. */
function share(value: unknown, at: string): number {
  const isPercent = typeof value === 'string' && /%\s*$/.test(value);
  const said = number(asNumber(isPercent ? value.replace('%', '') : onlyOf(value)), at);
  if (said < -ROUNDING || said > 100 + ROUNDING) throw not(value, at, 'between 0 and 1 or in percent');
  return Math.min(Math.max(isPercent || said >= 2 ? said / 100 : said, 0), 1);
}

/** null where there is none. What stands behind the four numbers, such as the confidence, is left out. */
function boxOf(value: unknown, at: string): Box | null {
  if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) return null;
  const [x1, y1, x2, y2] = items(onlyOf(value), at).slice(0, 4).map(asNumber);
  const isNumber = (side: unknown): side is number => typeof side === 'number' && Number.isFinite(side);
  if (!isNumber(x1) || !isNumber(y1) || !isNumber(x2) || !isNumber(y2)) throw not(value, at, 'four numbers');
  return [x1, y1, x2, y2];
}

/** What stands alone in a list: models say in lists of one what they say of each of several. */
function onlyOf(value: unknown): unknown {
  return Array.isArray(value) && value.length === 1 ? value[0] : value;
}

/** The number that a text holds, as Python reads it; anything else as it is. */
function asNumber(value: unknown): unknown {
  return typeof value === 'string' && /^\s*[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?\s*$/i.test(value) ? Number(value) : value;
}
