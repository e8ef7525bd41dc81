/**
 * What the models found in a batch, by the sections of its record.
 *
 * Several models of one section share it, and then everything in it says which model it came from. A model fails when it
 * has no answer, and also when it could read none of the frames: "found nothing" and "does not work" are different words.
 */
import { isDeepStrictEqual } from 'node:util';
import { LookoutError } from '../errors.ts';
import type { Detection, ErrorInfo, Look, ModelIdentity, SkipReason } from '../types.ts';

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
  /** Why it looked at no frame. */
  readonly error: ErrorInfo | null;
  readonly looked: number;
  readonly skipped: readonly { readonly frame: number; readonly reason: SkipReason }[];
  readonly mixed?: true;
}

/** What one model said of the batch. */
export interface ModelResult {
  readonly model: string;
  readonly detections: readonly RecordDetection[];
  readonly frame_errors: readonly FrameError[];
  readonly entry: ModelEntry;
}

/** `looks`: one for each frame of the batch, in their order. */
export function resultOf(model: string, looks: readonly Look[]): ModelResult {
  const each = looks.map((look, frame) => ({ frame, look }));
  const looked = each.flatMap(({ frame, look }) => ('detections' in look ? [{ frame, ...look }] : []));
  const failed = each.flatMap(({ frame, look }) => ('error' in look ? [{ frame, ...look }] : []));
  const skipped = each.flatMap(({ frame, look }) => ('skipped' in look ? [{ frame, reason: look.skipped }] : []));
  const identities = [...looked, ...failed].map(({ identity }) => identity);
  const identity = identities.at(-1) ?? looks.at(-1)?.identity;
  if (!identity) throw new LookoutError('internal', `the model ${model} was asked about no frame; please report it`);
  return {
    model,
    detections: looked.flatMap(({ frame, detections }) => detections.map((detection) => recordDetection(detection, frame))),
    frame_errors: looked.length === 0 && failed.every(({ error }) => error.code !== 'bad_frame') ? [] : failed.map(({ frame, error }) => ({ frame, message: error.message })),
    entry: {
      ...identityOf(identity),
      inference_ms: looked.length === 0 ? null : Math.round(1000 * looked.reduce((sum, { inference_ms }) => sum + inference_ms, 0)) / 1000,
      error: looked.length > 0 ? null : whyNone(failed.map(({ error }) => error), skipped.map(({ reason }) => reason)),
      looked: looked.length,
      skipped,
      ...(identities.some((other) => !isDeepStrictEqual(other, identity)) ? { mixed: true as const } : {}),
    },
  };
}

/** In words. */
export const SKIPPED: Readonly<Record<SkipReason, string>> = {
  overloaded: 'more frames came than the model can look at',
  late: 'the model had not come to these frames when the batch was waited for no longer',
  not_ready: 'the model was not ready when the batch was waited for no longer',
  resting: 'the model rests, because its runner ended too often',
  quarantined: 'frames of this camera ended the model\'s runner, so it is asked about them only now and then',
};

/** What went wrong says more than what was let go. */
function whyNone(errors: readonly ErrorInfo[], skipped: readonly SkipReason[]): ErrorInfo {
  const error = errors.find(({ code }) => code !== 'bad_frame') ?? errors[0];
  if (error) return errorOf(error);
  const [reason] = skipped;
  return reason ? { code: reason, message: SKIPPED[reason] } : { code: 'runner_failed', message: 'the model answered for none of the frames' };
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

/** Answers come from other parts and may carry more than a record is to show. */
function errorOf({ code, message }: ErrorInfo): ErrorInfo {
  return { code, message };
}

function identityOf({ version, runtime, detector, fingerprint, code }: ModelIdentity): ModelIdentity {
  return { version, runtime, detector, fingerprint, code };
}
