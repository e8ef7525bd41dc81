/** Makes the record of a batch from what is known: camera, host, predictions and the snapshot's bytes. Pure. */
import { LookoutError } from '../errors.ts';
import type { Answers, Batch, BatchRecord, Config, Work } from '../types.ts';
import type { ModelResult, NamedSection, Section } from './sections.ts';
import { complaintOf, resultOf, sectionsOf } from './sections.ts';
import { zonedTime } from './time.ts';

export interface RecordSettings extends Pick<Config, 'record_format' | 'time_zone'> {
  /** null: `always`, and with record_format v3 `found`. */
  readonly record_when: 'always' | 'found' | null;
}

export interface EnrichInput extends Pick<Work, 'batch' | 'answers' | 'camera' | 'snapshot' | 'damaged'> {
  readonly models: Readonly<Record<string, { readonly section: string | null }>>;
  readonly host_ip: string | null;
  readonly settings: RecordSettings;
}

/** Index of the frame to show. `best`: the frame of the surest detection, the first frame when nothing was found. */
export function chooseSnapshot(batch: Batch, answers: Answers, setting: 'first' | 'best' | 'none'): number | null {
  if (setting === 'none') return null;
  let best = { frame: 0, confidence: -Infinity };
  if (setting === 'best') {
    for (const { frame, confidence } of resultsOf(batch, answers).flatMap(({ detections }) => detections)) {
      if (confidence > best.confidence && batch.frames[frame] !== undefined) best = { frame, confidence };
    }
  }
  return best.frame;
}

/** null: `record_when` is `found`, every model worked, and none found anything. */
export function enrich(input: EnrichInput): BatchRecord | null {
  const { batch, answers, models, settings } = input;
  const format = settings.record_format;
  const results = resultsOf(batch, answers);
  const when = settings.record_when ?? (format === 'v3' ? 'found' : 'always');
  if (when === 'found' && results.every(isEmpty)) return null;

  const sections = sectionsOf(results, models);
  return withFacts(input, results, format === 'v1' ? nested(input, sections) : flat(input, sections, format));
}

/** The model worked and found nothing. That it was shown too many frames, or came too late, is no fault of its own. */
function isEmpty({ detections, frame_errors, entry: { error, skipped } }: ModelResult): boolean {
  const isLoad = (reason: string): boolean => reason === 'overloaded' || reason === 'late';
  const worked = frame_errors.length === 0 && skipped.every(({ reason }) => isLoad(reason)) && (error === null || isLoad(error.code));
  return worked && detections.length === 0;
}

/** v1: `basic`, then a section for each complaint, null where no model was asked. */
function nested(input: EnrichInput, sections: readonly NamedSection[]): Fields {
  const { camID, Latitude, Longitude, moment, IP, frame_base64 } = basics(input);
  const asked = new Map<string, Section | null>([['stray_animal', null], ['pothole', null]]);
  for (const { name, section } of sections) asked.set(name, section);
  const complains = ([name]: [string, unknown]): boolean =>
    name === 'stray_animal' || name === 'pothole' || sections.some((section) => section.name === name && section.complains);
  const complaint_type = Object.fromEntries(
    [...asked].filter(complains).map(([name, section]) => [name, section === null ? 0 : complaintOf(section)]),
  );
  return joined(
    { basic: { camID, Latitude, Longitude, Date: moment.date, timestamp: moment.time, IP, complaint_type, frame_base64 } },
    Object.fromEntries(asked),
  );
}

/** v2 and v3: detections by complaint, null where its model failed; models without a complaint have a field of their own. */
function flat(input: EnrichInput, sections: readonly NamedSection[], format: 'v2' | 'v3'): Fields {
  const { camID, Latitude, Longitude, moment, IP, frame_base64 } = basics(input);
  const complaints = new Map<string, unknown>(
    format === 'v2' ? [['stray_animal', []], ['pothole', 0]] : [['stray_animal', []], ['pothole', []], ['garbage', []]],
  );
  const others = new Map<string, Section>();
  for (const { name, complains, section } of sections) {
    if (complains || complaints.has(name)) complaints.set(name, complaintOf(section) === null ? null : section.detections);
    else others.set(name, section);
  }
  const complaint_type = Object.fromEntries(complaints);
  return joined(
    { camID, Latitude, Longitude, Date: `${moment.date} ${moment.time}`, IP, complaint_type, frame_base64 },
    Object.fromEntries(others),
  );
}

type Fields = Readonly<Record<string, unknown>>;

function basics({ batch, camera, host_ip: IP, snapshot, settings }: EnrichInput) {
  const shown = batch.frames[snapshot?.index ?? 0];
  if (shown === undefined) throw new LookoutError('internal', `batch ${batch.id} has no frame ${snapshot?.index ?? 0} to show; please report it`);
  return {
    camID: batch.camera_id,
    Latitude: camera.latitude,
    Longitude: camera.longitude,
    moment: zonedTime(shown.captured_at, settings.time_zone),
    IP,
    frame_base64: snapshot === null ? '' : Buffer.from(snapshot.jpeg).toString('base64'),
  };
}

/** Adds what every format has and the Flask orchestrator's records lack. */
function withFacts({ batch, settings, snapshot, damaged }: EnrichInput, results: readonly ModelResult[], fields: Fields): BatchRecord {
  const frames = batch.frames.map(({ key, captured_at, width, height }, index) => ({
    index, captured_at: zonedTime(captured_at, settings.time_zone).rfc3339, file: key, width, height,
  }));
  return joined(fields, {
    schema_version: SCHEMA_VERSIONS[settings.record_format],
    batch: {
      id: batch.id,
      session: batch.session,
      closed_by: batch.closed_by,
      started_at: frames[0]?.captured_at ?? '',
      ended_at: frames.at(-1)?.captured_at ?? '',
      frames,
      snapshot: snapshot === null ? null : { index: snapshot.index, width: snapshot.width, height: snapshot.height },
      ...(damaged.length === 0 ? {} : { damaged }),
    },
    models: Object.fromEntries(results.map(({ model, entry }) => [model, entry])),
  });
}

export const SCHEMA_VERSIONS = { v1: 1, v2: 2, v3: 3 } as const;

/** A section that took the name of a field would hide one of the two from every reader. */
function joined<First extends Fields, Second extends Fields>(first: First, second: Second): First & Second {
  const clash = Object.keys(second).find((name) => Object.hasOwn(first, name));
  if (clash !== undefined) throw new LookoutError('config_invalid', `a model's section cannot be named ${clash}: records have that field already; rename it`);
  return { ...first, ...second };
}

function resultsOf(batch: Batch, answers: Answers): readonly ModelResult[] {
  return batch.models.map((model) => {
    const answer = Object.hasOwn(answers, model) ? answers[model] : undefined;
    if (answer === undefined) throw new LookoutError('internal', `batch ${batch.id} has no answer of its model ${model}; please report it`);
    return resultOf(model, answer);
  });
}
