/** Every message of the runner protocol, and how a line becomes one. The authors' page is runners/README.md. */
import { jsonLine } from '../lib/json-line.ts';
import { shorten } from '../lib/shorten.ts';
import type { Json, Prediction, Ready, RunnerAnswer, RunnerFrame } from '../types.ts';
import { orBadFrame, parseFindings } from './finding.ts';
import { Invalid, count, flag, index, items, list, milliseconds, not, object, optional, reason, text } from './shape.ts';

export const PROTOCOL = 1;
/** Far above any answer, far below what a mistake could fill memory with. */
export const MAX_MESSAGE = 16 * 1024 * 1024;
/** Characters of a name. The detector's stands in every record. */
const MAX_NAME = 256;
/** More than any set of classes has. */
const MAX_LABELS = 32 * 1024;
/** As many as a model may have instances: each is a loop of its lane. */
const MAX_SLOTS = 64;

type Fields = Readonly<Record<string, unknown>>;

// ── Parent to child ──────────────────────────────────────────────────────────────────────────────────────────────────

export interface PredictMessage {
  readonly type: 'predict';
  readonly id: number;
  readonly frames: readonly RunnerFrame[];
  readonly options: Json;
}

// ── Child to parent ──────────────────────────────────────────────────────────────────────────────────────────────────

export type RunnerMessage =
  /** Set-up is done; calls may come. */
  | ({ readonly type: 'ready'; readonly protocol: typeof PROTOCOL } & Ready)
  | ({ readonly type: 'result'; readonly id: number } & RunnerAnswer)
  /** This call failed; the process lives on. */
  | { readonly type: 'failed'; readonly id: number; readonly error: { readonly message: string }; readonly frames: readonly FrameFailure[] }
  /** The process is of no more use. */
  | { readonly type: 'fatal'; readonly error: { readonly message: string } };

export interface FrameFailure {
  readonly index: number;
  readonly message: string;
}

/** A line for the child. Names every field, so that nothing but the protocol leaves. */
export function predictLine({ id, frames, options }: Omit<PredictMessage, 'type'>): string {
  const message: PredictMessage = {
    type: 'predict',
    id,
    frames: frames.map(({ index, stream, sequence, file, captured_at, width, height }) => ({ index, stream, sequence, file, captured_at, width, height })),
    options,
  };
  return jsonLine(message);
}

/**
 * A line from the child as a message. Throws when the line is none: then nothing more that the child says can be
 * believed. A result that names its call but says something impossible is that call's failure, and what it says wrong of
 * a frame that it names is that frame's. `asked`: about how many frames the call of this number is.
 */
export function parseLine(line: string, asked: (id: number) => number = () => Infinity): RunnerMessage {
  const message = object(parseJson(line), 'the message');
  switch (message['type']) {
    case 'ready':
      return parseReady(message);
    case 'result':
      return parseResult(message, asked);
    case 'failed':
      return parseFailed(message, asked);
    case 'fatal':
      return { type: 'fatal', error: parseError(message) };
    default:
      throw not(message['type'], 'type', 'one of ready, result, failed, fatal');
  }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // The parser's own words speak of positions; the caller shows the line itself.
    throw new Invalid('a line is not JSON');
  }
}

function parseReady(message: Fields): RunnerMessage {
  if (message['protocol'] !== PROTOCOL) throw not(message['protocol'], 'protocol', `${PROTOCOL}, which this Lookout speaks`);
  return {
    type: 'ready',
    protocol: PROTOCOL,
    detector: optional(message['detector'], 'detector', name),
    labels: optional(message['labels'], 'labels', (labels, at) => list(items(labels, at).slice(0, MAX_LABELS), at, name)),
    device: optional(message['device'], 'device', name),
    mix: optional(message['mix'], 'mix', flag),
    slots: optional(message['slots'], 'slots', slots) ?? 1,
  };
}

/** Of a long one its beginning. */
function name(value: unknown, at: string): string {
  return shorten(text(value, at), MAX_NAME);
}

function slots(value: unknown, at: string): number {
  if (count(value, at) > MAX_SLOTS) throw not(value, at, `a whole number from 1 to ${MAX_SLOTS}`);
  return value as number;
}

function parseResult(message: Fields, asked: (id: number) => number): RunnerMessage {
  const id = index(message['id'], 'id');
  try {
    // One too many is as wrong as a million, which would take seconds to read.
    const said = items(message['predictions'], 'predictions').slice(0, asked(id) + 1);
    const predictions = list(said, 'predictions', parsePrediction);
    return { type: 'result', id, predictions, inference_ms: milliseconds(message['inference_ms'], 'inference_ms') };
  } catch (error) {
    if (!(error instanceof Invalid)) throw error;
    return { type: 'failed', id, error: { message: `the answer is not valid: ${error.message}` }, frames: [] };
  }
}

function parseFailed(message: Fields, asked: (id: number) => number): RunnerMessage {
  const id = index(message['id'], 'id');
  const frames = optional(message['frames'], 'frames', (said, at) => list(items(said, at).slice(0, asked(id)), at, parseFailure)) ?? [];
  return { type: 'failed', id, error: parseError(message), frames };
}

function parsePrediction(value: unknown, at: string): Prediction {
  const said = object(value, at);
  const position = index(said['index'], `${at}.index`);
  return orBadFrame(position, () => {
    const error = optional(said['error'], 'error', parseBadFrame);
    if (error !== null) return { index: position, error };
    return { index: position, detections: parseFindings(said['detections'], 'detections') };
  });
}

function parseBadFrame(value: unknown, at: string): { code: 'bad_frame'; message: string } {
  const { code, message } = object(value, at);
  if (code !== 'bad_frame') throw not(code, `${at}.code`, '"bad_frame"');
  return { code, message: reason(message, `${at}.message`) };
}

function parseError(message: Fields): { message: string } {
  return { message: reason(object(message['error'], 'error')['message'], 'error.message') };
}

function parseFailure(value: unknown, at: string): FrameFailure {
  const failure = object(value, at);
  return { index: index(failure['index'], `${at}.index`), message: reason(failure['message'], `${at}.message`) };
}
