/** Every message of the runner protocol, and how a line becomes one. The authors' page is runners/README.md. */
import type { Detection, Json, Prediction, Ready, RunnerAnswer, RunnerFrame } from '../types.ts';
import { Invalid, box, confidence, index, list, milliseconds, object, optional, text } from './shape.ts';

export const PROTOCOL = 1;
/** Far above any answer, far below what a mistake could fill memory with. */
export const MAX_MESSAGE = 16 * 1024 * 1024;

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
    frames: frames.map(({ index, stream, file, captured_at, width, height }) => ({ index, stream, file, captured_at, width, height })),
    options,
  };
  return `${JSON.stringify(message)}\n`;
}

/**
 * A line from the child as a message. Throws when the line is none: then nothing more that the child says can be
 * believed. A result that names its call but says something impossible is that call's failure.
 */
export function parseLine(line: string): RunnerMessage {
  const message = object(parseJson(line), 'the message');
  switch (message['type']) {
    case 'ready':
      return parseReady(message);
    case 'result':
      return parseResult(message);
    case 'failed':
      return {
        type: 'failed',
        id: index(message['id'], 'id'),
        error: parseError(message),
        frames: optional(message['frames'], 'frames', (frames, at) => list(frames, at, parseFailure)) ?? [],
      };
    case 'fatal':
      return { type: 'fatal', error: parseError(message) };
    default:
      throw new Invalid(`type is ${JSON.stringify(message['type'])}, not one of ready, result, failed, fatal`);
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
  if (message['protocol'] !== PROTOCOL) {
    throw new Invalid(`it speaks protocol ${JSON.stringify(message['protocol'])}, this Lookout speaks ${PROTOCOL}`);
  }
  return {
    type: 'ready',
    protocol: PROTOCOL,
    detector: optional(message['detector'], 'detector', text),
    labels: optional(message['labels'], 'labels', (labels, at) => list(labels, at, text)),
    device: optional(message['device'], 'device', text),
  };
}

function parseResult(message: Fields): RunnerMessage {
  const id = index(message['id'], 'id');
  try {
    const predictions = list(message['predictions'], 'predictions', parsePrediction);
    return { type: 'result', id, predictions, inference_ms: milliseconds(message['inference_ms'], 'inference_ms') };
  } catch (error) {
    if (!(error instanceof Invalid)) throw error;
    return { type: 'failed', id, error: { message: `the answer is not valid: ${error.message}` }, frames: [] };
  }
}

function parsePrediction(value: unknown, at: string): Prediction {
  const prediction = object(value, at);
  const position = index(prediction['index'], `${at}.index`);
  if (prediction['error'] === undefined) {
    return { index: position, detections: list(prediction['detections'], `${at}.detections`, parseDetection) };
  }
  const error = object(prediction['error'], `${at}.error`);
  if (error['code'] !== 'bad_frame') throw new Invalid(`${at}.error.code is ${JSON.stringify(error['code'])}, not "bad_frame"`);
  return { index: position, error: { code: 'bad_frame', message: text(error['message'], `${at}.error.message`) } };
}

function parseDetection(value: unknown, at: string): Detection {
  const detection = object(value, at);
  return {
    class: text(detection['class'], `${at}.class`),
    confidence: confidence(detection['confidence'], `${at}.confidence`),
    box: box(detection['box'], `${at}.box`),
  };
}

function parseError(message: Fields): { message: string } {
  return { message: text(object(message['error'], 'error')['message'], 'error.message') };
}

function parseFailure(value: unknown, at: string): FrameFailure {
  const failure = object(value, at);
  return { index: index(failure['index'], `${at}.index`), message: text(failure['message'], `${at}.message`) };
}
