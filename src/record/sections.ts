/**
 * What the models found in a batch, by the sections of its record.
 *
 * Several models of one section share it, and then everything in it says which model it came from. A model fails when it
 * has no answer, and also when it could read none of the frames: "found nothing" and "does not work" are different words.
 */
import type { Detection, ErrorInfo, LaneAnswer, ModelIdentity, Prediction } from '../types.ts';

export interface RecordDetection extends Detection {
  /** Index of the frame in the batch. */
  readonly frame: number;
  readonly model?: string;
}

export interface FrameError {
  readonly frame: number;
  readonly message: string;
  readonly model?: string;
}

export interface Section {
  readonly detections: readonly RecordDetection[];
  /** Of the first model of the section that failed; what the others found stands beside it. */
  readonly error?: ErrorInfo & { readonly model?: string };
  /** Frames that a model could not read. */
  readonly frame_errors?: readonly FrameError[];
}

export interface NamedSection {
  readonly name: string;
  /** Whether it counts as a complaint: a model named it as its section. */
  readonly complains: boolean;
  readonly section: Section;
}

export interface ModelEntry extends ModelIdentity {
  readonly inference_ms: number | null;
  readonly error: ErrorInfo | null;
}

/** What one model said of the batch. */
export interface ModelResult {
  readonly model: string;
  readonly detections: readonly RecordDetection[];
  readonly frame_errors: readonly FrameError[];
  readonly entry: ModelEntry;
}

export function resultOf(model: string, answer: LaneAnswer): ModelResult {
  if ('error' in answer) {
    return { model, detections: [], frame_errors: [], entry: { ...identityOf(answer.identity), inference_ms: null, error: errorOf(answer.error) } };
  }
  const read = answer.predictions.filter((prediction) => 'detections' in prediction);
  const unread = answer.predictions.filter((prediction) => 'error' in prediction);
  return {
    model,
    detections: read.flatMap(({ index, detections }) => detections.map((detection) => recordDetection(detection, index))),
    frame_errors: unread.map(({ index, error }) => ({ frame: index, message: error.message })),
    entry: { ...identityOf(answer.identity), inference_ms: answer.inference_ms, error: read.length > 0 ? null : noFrameRead(unread) },
  };
}

/** In the order in which the models first name them. */
export function sectionsOf(
  results: readonly ModelResult[], models: Readonly<Record<string, { readonly section: string | null }>>,
): readonly NamedSection[] {
  const nameOf = ({ model }: ModelResult): string => models[model]?.section ?? model;
  return [...new Set(results.map(nameOf))].map((name) => {
    const members = results.filter((result) => nameOf(result) === name);
    return {
      name,
      complains: members.some(({ model }) => models[model]?.section === name),
      section: joinResults(members),
    };
  });
}

/** 1: something was found; 0: nothing was; null: nobody knows, because a model failed. */
export function complaintOf({ detections, error }: Section): 0 | 1 | null {
  if (detections.length > 0) return 1;
  return error === undefined ? 0 : null;
}

function joinResults(members: readonly ModelResult[]): Section {
  const said = <Part extends object>(parts: readonly Part[], model: string): readonly (Part & { model?: string })[] =>
    members.length > 1 ? parts.map((part) => ({ ...part, model })) : parts;
  const errors = members.flatMap(({ entry, model }) => (entry.error === null ? [] : said([entry.error], model)));
  const frameErrors = members.flatMap(({ frame_errors: parts, model }) => said(parts, model));
  return {
    detections: members.flatMap(({ detections, model }) => said(detections, model)),
    ...(errors[0] === undefined ? {} : { error: errors[0] }),
    ...(frameErrors.length === 0 ? {} : { frame_errors: frameErrors }),
  };
}

function recordDetection({ class: name, confidence, box, track, polygon, mask, keypoints, attributes, embedding, extra }: Detection, frame: number): RecordDetection {
  return {
    class: name,
    confidence: Math.round(confidence * 1e4) / 1e4,
    ...given({ box }),
    frame,
    ...given({ track, polygon, mask, keypoints, attributes, embedding, extra }),
  };
}

type Given<Fields> = { readonly [Name in keyof Fields]?: Exclude<Fields[Name], undefined> };

/** Without what is undefined. */
function given<Fields extends object>(fields: Fields): Given<Fields> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Given<Fields>;
}

function noFrameRead(unread: readonly (Prediction & { error: ErrorInfo })[]): ErrorInfo {
  return unread[0] === undefined ? { code: 'runner_failed', message: 'the model answered for none of the frames' } : errorOf(unread[0].error);
}

/** Answers come from other parts and may carry more than a record is to show. */
function errorOf({ code, message }: ErrorInfo): ErrorInfo {
  return { code, message };
}

function identityOf({ version, runtime, detector, fingerprint, code }: ModelIdentity): ModelIdentity {
  return { version, runtime, detector, fingerprint, code };
}
