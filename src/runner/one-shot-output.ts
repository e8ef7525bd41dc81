/** What a one-shot program left in its output file, as an answer. */
import type { Box, Detection, Prediction, RunnerFrame } from '../types.ts';
import { detailsOf, MAX_FINDING, MAX_FINDINGS_OF_A_FRAME, sizeOf } from './finding.ts';
import { Invalid, box, confidence, list, milliseconds, object, optional, text } from './shape.ts';

export interface OneShotOutput {
  readonly predictions: readonly Prediction[];
  /** Absent: the program measured nothing. */
  readonly inference_ms?: number;
}

/** One element per frame, in order; throws Invalid when `content` is not that. */
export function parseOutput(content: string, frames: readonly RunnerFrame[]): OneShotOutput {
  const elements = list(parseJson(content), 'the output', object);
  if (elements.length !== frames.length) throw new Invalid(`the output has ${elements.length} elements for ${frames.length} frames`);
  const times = elements
    .map((element, i) => optional(element['inference_time_ms'], `[${i}].inference_time_ms`, milliseconds))
    .filter((time) => time !== null);
  const predictions = frames.map(({ index }, i) => parseElement(elements[i] ?? {}, index, `[${i}]`));
  return times.length === 0 ? { predictions } : { predictions, inference_ms: times.reduce((sum, time) => sum + time) };
}

function parseJson(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch (error) {
    throw new Invalid(`the output is not JSON (${String(error)}): ${content.slice(0, 200)}`);
  }
}

function parseElement(element: Readonly<Record<string, unknown>>, index: number, at: string): Prediction {
  const error = element['error'];
  if (typeof error === 'string' && error !== '') return { index, error: { code: 'bad_frame', message: error } };
  const found = list(element['detections'], `${at}.detections`, parseDetection).flat();
  return { index, detections: sizeOf(found) > MAX_FINDINGS_OF_A_FRAME ? found.map(plain) : found };
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
    confidence: optional(said['confidence'], `${at}.confidence`, confidence) ?? 0,
    box: optional(said['bbox'] ?? said['box'], `${at}.bbox`, box) ?? [0, 0, 0, 0] as const,
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
