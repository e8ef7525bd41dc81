/**
 * The published JSON Schema of records, one for each record format, and the check before a record is written. It stands
 * here only: /api/records/schema.json and /openapi.json show this one.
 */
import { Ajv2020 } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';

import { LookoutError } from '../errors.ts';
import type { BatchRecord, Config } from '../types.ts';
import { SCHEMA_VERSIONS } from './enrich.ts';

type RecordFormat = Config['record_format'];

const coordinate = (limit: number): object => ({ type: ['number', 'null'], minimum: -limit, maximum: limit });
const timestamp = { type: 'string', format: 'date-time' };
const index = { type: 'integer', minimum: 0 };
const pixels = { type: 'integer', minimum: 1 };
const word = { type: 'string', minLength: 1 };
const textOrNull = { type: ['string', 'null'] };
const ref = (name: string): object => ({ $ref: `#/$defs/${name}` });

/** An object with these properties, all of them required but the optional ones, and no other. */
function exactly(properties: Readonly<Record<string, object>>, optional: Readonly<Record<string, object>> = {}): object {
  return { type: 'object', required: Object.keys(properties), additionalProperties: false, properties: { ...properties, ...optional } };
}

const ERROR = { code: word, message: { type: 'string' } };
const IDENTITY = { version: { type: 'string' }, runtime: word, detector: textOrNull, fingerprint: textOrNull, code: textOrNull };

const number = { type: 'number' };
const confidence = { type: 'number', minimum: 0, maximum: 1 };
const list = (items: object, minItems: number, maxItems?: number): object => ({ type: 'array', items, minItems, ...(maxItems === undefined ? {} : { maxItems }) });

/** What a detection may say beside its class, its confidence and its frame. */
const DETAILS = {
  box: { description: 'x1, y1, x2, y2 in pixels of the frame; absent: a classification of the whole frame', ...list(number, 4, 4) },
  track: { description: 'names the thing across frames of its stream', type: ['string', 'number'] },
  polygon: { description: 'one ring of points x, y in pixels of the frame; the last is not the first again', ...list(list(number, 2, 2), 3) },
  mask: {
    description: 'COCO run lengths: size is height, width; counts are compressed, or lengths column by column of which the first is outside',
    ...exactly({ size: list(pixels, 2, 2), counts: { anyOf: [{ type: 'string', pattern: '^[0-o]+$' }, list(index, 1)] } }),
  },
  keypoints: { description: 'x, y in pixels of the frame', ...list(exactly({ x: number, y: number }, { confidence, name: { type: 'string' } }), 0) },
  attributes: { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean'] } },
  embedding: list(number, 1),
  extra: { description: 'whatever else the model knows' },
};

const DEFINITIONS = {
  detection: {
    description: 'A finding. What its model says of it is at most 16 KiB of JSON, and 256 KiB for all findings of a frame.',
    ...exactly(
      { class: { type: 'string' }, confidence, frame: { description: 'index of the frame in batch.frames', ...index } },
      { ...DETAILS, model: { description: 'where several models share a section', ...word } },
    ),
  },
  detections: { type: 'array', items: ref('detection') },
  section: {
    description: 'What the models of one section found. error: one of them failed. frame_errors: frames that could not be read.',
    ...exactly(
      { detections: ref('detections') },
      {
        error: exactly(ERROR, { model: word }),
        frame_errors: { type: 'array', minItems: 1, items: exactly({ frame: index, message: { type: 'string' } }, { model: word }) },
      },
    ),
  },
  batch: exactly({
    id: word,
    session: word,
    closed_by: { enum: ['count', 'deadline', 'stopped', 'recovered'] },
    started_at: timestamp,
    ended_at: timestamp,
    frames: {
      type: 'array',
      minItems: 1,
      items: exactly({
        index,
        captured_at: timestamp,
        file: { description: 'relative to the frames folder, unique for ever; it need not exist any more', type: 'string', pattern: '^[A-Za-z0-9._%~-]+/[A-Za-z0-9._%~-]+$' },
        width: pixels,
        height: pixels,
      }),
    },
    snapshot: { type: ['object', 'null'], required: ['index', 'width', 'height'], additionalProperties: false, properties: { index, width: pixels, height: pixels } },
  }, { damaged: { description: 'frames whose picture was gone or damaged when it was to be shown', type: 'array', minItems: 1, items: index } }),
  models: {
    type: 'object',
    minProperties: 1,
    additionalProperties: exactly({
      ...IDENTITY,
      inference_ms: { type: ['number', 'null'], minimum: 0 },
      error: { description: 'why it looked at no frame', type: ['object', 'null'], required: Object.keys(ERROR), additionalProperties: false, properties: ERROR },
      looked: { description: 'how many frames it looked at', ...index },
      skipped: {
        description: 'frames that it did not look at',
        type: 'array',
        items: exactly({ frame: index, reason: { enum: ['overloaded', 'late', 'not_ready', 'resting', 'quarantined'] } }),
      },
    }, { mixed: { description: 'it changed within the batch: this is the newest', const: true } }),
  },
  snapshot: { description: 'JPEG in bare base64; empty when there is none', type: 'string', contentEncoding: 'base64', contentMediaType: 'image/jpeg', pattern: '^(/9j/|$)' },
  address: { description: 'of the host; null when it has none that others could reach', type: ['string', 'null'], pattern: '^(?!127\\.)' },
};

const DAY = '\\d{2}/\\d{2}/\\d{4}';
const HOUR = '\\d{2}:\\d{2}:\\d{2}';
const PLACE = { camID: word, Latitude: coordinate(90), Longitude: coordinate(180) };

const idOf = (format: RecordFormat): string => `urn:lookout:record:${format}`;

/** Other fields of a record are sections, named by their models. */
function recordSchema(format: RecordFormat, title: string, own: Readonly<Record<string, object>>): object {
  const properties = { ...own, schema_version: { const: SCHEMA_VERSIONS[format] }, batch: ref('batch'), models: ref('models') };
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: idOf(format),
    title,
    type: 'object',
    required: Object.keys(properties),
    properties,
    additionalProperties: ref('section'),
    $defs: DEFINITIONS,
  };
}

function flatSchema(format: RecordFormat, title: string, complaints: Readonly<Record<string, object>>): object {
  return recordSchema(format, title, {
    ...PLACE,
    Date: { type: 'string', pattern: `^${DAY} ${HOUR}$` },
    IP: ref('address'),
    complaint_type: { type: 'object', required: Object.keys(complaints), properties: complaints, additionalProperties: DETECTIONS_OR_NULL },
    frame_base64: ref('snapshot'),
  });
}

const COMPLAINT = { description: '1: found, 0: nothing found or no model asked, null: the model failed', enum: [0, 1, null] };
const DETECTIONS_OR_NULL = { description: 'null: the model failed', anyOf: [{ type: 'null' }, ref('detections')] };
const SECTION_OR_NULL = { description: 'null: no model was asked', anyOf: [{ type: 'null' }, ref('section')] };

export const RECORD_SCHEMAS: Readonly<Record<RecordFormat, object>> = {
  v1: recordSchema('v1', 'A record of Lookout: nested', {
    basic: exactly({
      ...PLACE,
      Date: { type: 'string', pattern: `^${DAY}$` },
      timestamp: { type: 'string', pattern: `^${HOUR}$` },
      IP: ref('address'),
      complaint_type: {
        type: 'object', required: ['stray_animal', 'pothole'], properties: { stray_animal: COMPLAINT, pothole: COMPLAINT }, additionalProperties: COMPLAINT,
      },
      frame_base64: ref('snapshot'),
    }),
    stray_animal: SECTION_OR_NULL,
    pothole: SECTION_OR_NULL,
  }),
  v2: flatSchema('v2', 'A record of Lookout: flat', {
    stray_animal: DETECTIONS_OR_NULL,
    pothole: { description: '0: no model was asked; null: the model failed', anyOf: [{ const: 0 }, { type: 'null' }, ref('detections')] },
  }),
  v3: flatSchema('v3', 'A record of Lookout: flat, three lists', {
    stray_animal: DETECTIONS_OR_NULL, pothole: DETECTIONS_OR_NULL, garbage: DETECTIONS_OR_NULL,
  }),
};

let ajv: Ajv2020 | null = null;

/** Made with the first record, and a format compiled when it is first met: a server that starts does not wait for them. */
function schemas(): Ajv2020 {
  if (ajv === null) {
    ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true, validateSchema: false });
    ajvFormats.default(ajv);
    ajv.addSchema(Object.values(RECORD_SCHEMAS));
  }
  return ajv;
}

/** Throws `internal` when the record is not as published: what is wrong must not be written where others read it. */
export function checkRecord(record: BatchRecord): void {
  const format = (['v1', 'v2', 'v3'] as const).find((one) => SCHEMA_VERSIONS[one] === record.schema_version);
  const validate = format && schemas().getSchema(idOf(format));
  if (validate?.(record) === true) return;
  const reasons = validate === undefined ? `unknown schema_version ${record.schema_version}` : schemas().errorsText(validate.errors, { dataVar: 'record' });
  throw new LookoutError('internal', `the record of batch ${record.batch.id} is not as its schema says, so it is not written: ${reasons}`);
}
