/** What of a record stands in which table, whichever of its formats it has, and whoever wrote it. */
import type { Item } from '../../types.ts';
import { isObject } from '../../lib/objects.ts';
import type { RowOf } from './tables.ts';
import { cleaned, cornersOf, fieldsOf, listOf, NO_BOX, numberOf, placeOf, textOf, timeOf, wholeOf, type Fields, type Place } from './values.ts';

export function recordRow({ id, camera_id, time, value }: Item): RowOf<'records'> {
  const batch = fieldsOf(value['batch']);
  return {
    id: cleaned(id), camera_id, captured_at: timeOf(time), ended_at: timeOf(batch['ended_at']), session: textOf(batch['session']), closed_by: textOf(batch['closed_by']),
    format: formatOf(value), models: isObject(value['models']) ? Object.keys(value['models']) : null,
    frames: Array.isArray(batch['frames']) ? batch['frames'].length : null, record: withoutPicture(value),
  };
}

/** Of the camera, as the record has it. */
export function recordPlace({ value }: Item): Place | null {
  const { Latitude, Longitude } = isObject(value['basic']) ? value['basic'] : value;
  return placeOf(Latitude, Longitude);
}

/** `untimed`: the time of those of which none is known. */
export function detectionRows({ id, camera_id, time, value }: Item, untimed: string | null): readonly RowOf<'detections'>[] {
  const frames = listOf(fieldsOf(value['batch'])['frames']).map(fieldsOf);
  const models = Object.keys(fieldsOf(value['models']));
  const begun = timeOf(time);
  return sectionsOf(value).flatMap(([section, detections]) => detections.map((detection) => ({ section, detection }))).map(({ section, detection }, number) => {
    const { class: name, confidence, box, frame, model, ...rest } = detection;
    const corners = cornersOf(box);
    // What its column cannot hold stands beside it as it is.
    const odd = Object.entries({
      ...(textOf(name) === null && { class: name }), ...(numberOf(confidence) === null && { confidence }), ...(corners === null && { box }),
      ...(wholeOf(frame) === null && { frame }), ...(textOf(model) === null && { model }), ...rest,
    }).filter(([, one]) => one !== undefined && one !== null);
    const shown = frames.find(({ index }) => index === frame) ?? {};
    return {
      record_id: cleaned(id), number, frame: wholeOf(frame), captured_at: timeOf(shown['captured_at']) ?? begun ?? untimed, camera_id, section,
      model: textOf(model) ?? modelOf(section, models), class: textOf(name), confidence: numberOf(confidence), ...(corners ?? NO_BOX),
      extra: odd.length === 0 ? null : Object.fromEntries(odd),
    };
  });
}

/** Fields that are no section, in any format. */
const FACTS = new Set(['basic', 'batch', 'models', 'schema_version', 'complaint_type', 'camID', 'Latitude', 'Longitude', 'Date', 'IP', 'frame_base64']);

/** v1 has its complaints in sections; v2 and v3 have lists of theirs, and sections for the others. */
function sectionsOf(value: Fields): readonly (readonly [string, readonly Fields[]])[] {
  const listed = Object.entries(fieldsOf(value['complaint_type']));
  const sections = Object.entries(value).filter(([name]) => !FACTS.has(name)).map(([name, section]) => [name, fieldsOf(section)['detections']] as const);
  return [...listed, ...sections].map(([name, detections]) => [name, listOf(detections).filter(isObject)] as const);
}

/** A record does not say which models a section is of, but where several share it. */
function modelOf(section: string, models: readonly string[]): string | null {
  if (models.length === 1) return models[0] ?? null;
  return models.includes(section) ? section : null;
}

/** Those of the Flask orchestrator have no number. */
function formatOf(value: Fields): 'v1' | 'v2' | 'v3' | null {
  const version = value['schema_version'];
  if (version === 1 || isObject(value['basic'])) return 'v1';
  if (version === 2 || version === 3) return `v${version}`;
  const complaints = value['complaint_type'];
  if (version !== undefined || !isObject(complaints)) return null;
  return Object.hasOwn(complaints, 'garbage') ? 'v3' : 'v2';
}

function withoutPicture(value: Fields): Fields {
  const shown = Object.entries(value).filter(([key]) => key !== 'frame_base64');
  return Object.fromEntries(shown.map(([key, one]) => [key, key === 'basic' && isObject(one) ? withoutPicture(one) : one]));
}
