/** The shapes of requests and answers as JSON Schema: published by /openapi.json, and requests are checked by them. */
import { ERRORS } from '../errors.ts';
import { EVENT_RULE } from '../words/event-rules.ts';
import { STREAM_OPTIONS } from '../words/stream-options.ts';
import type { Json, Verdict } from '../types.ts';

export type Schema = Readonly<Record<string, Json>>;

/** Records in one answer. */
export const MOST_RECORDS = 500;
/** With their pictures, which are as large as the cameras send them: an answer is built in memory. */
export const MOST_PICTURES = 50;

/** Clips in one answer. */
export const MOST_CLIPS = 500;

/** Events in one answer. */
export const MOST_EVENTS = 500;
/** Seconds that a silence may last. */
export const LONGEST_SILENCE = 7 * 86_400;
/** Seconds before and after a request that a clip may hold. */
const LONGEST_CLIP = 60;

/** Models of one stream, and characters of a name: each is answered for when it is not known. */
export const MOST_MODELS = 32;
export const LONGEST_MODEL_NAME = 128;

export const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });

const text = { type: 'string' } as const;
const maybeText = { type: ['string', 'null'] } as const;
const maybeNumber = { type: ['number', 'null'] } as const;
const count = { type: 'integer', minimum: 0 } as const;
const time = { type: 'string', format: 'date-time' } as const;
const maybeTime = { type: ['string', 'null'], format: 'date-time' } as const;
const name = { type: 'string', minLength: 1, maxLength: LONGEST_MODEL_NAME } as const;
const names = { type: 'array', items: name, maxItems: MOST_MODELS, description: 'None only where the stream is on demand or the camera pushes.' } as const;
const list = (items: Schema): Schema => ({ type: 'array', items });

/** Nothing but these properties, all of them present but those of `sometimes`: an answer that drifts from its schema fails the tests. */
const exact = (properties: Readonly<Record<string, Schema>>, sometimes: Readonly<Record<string, Schema>> = {}): Schema =>
  ({ type: 'object', properties: { ...properties, ...sometimes }, required: Object.keys(properties), additionalProperties: false });

export const streamOptions = { type: 'object', properties: STREAM_OPTIONS, additionalProperties: false } as const satisfies Schema;

export const streamChange: Schema = {
  type: 'object',
  properties: { url: text, models: names, options: streamOptions, enabled: { type: 'boolean', description: 'false pauses the stream, true starts it again.' } },
  additionalProperties: false,
  minProperties: 1,
};

const clipSeconds = { type: 'number', minimum: 0, maximum: LONGEST_CLIP, default: 5 } as const;
export const clipRequest: Schema = {
  type: 'object',
  properties: {
    before_seconds: { ...clipSeconds, description: 'It begins with a key frame at least so long before the request, where that is kept: streams with the option clips keep pre_roll_seconds.' },
    after_seconds: { ...clipSeconds, description: 'It ends so long after the request, and is answered then.' },
  },
  additionalProperties: false,
};

const clip = exact({
  id: text,
  camera_id: text,
  begins_at: { ...time, description: 'When its first picture was taken.' },
  seconds: { type: 'number', minimum: 0 },
  codec: { enum: ['h264', 'h265'] },
  width: count,
  height: count,
  reason: { ...maybeText, description: 'Why it holds less than was asked for; null: it holds all.' },
  bytes: count,
  made_of: { enum: ['video', 'frames'], description: 'Copied as the camera sent it, or made of the frames that were captured.' },
  events: { ...list(text), description: 'Ids of the events that it shows; none: somebody asked for it.' },
});

const cameraId: Schema = { type: ['string', 'number'], minLength: 1, maxLength: 128, description: 'No control characters, / or \\, and not . or ..; numbers are matched as text.' };
const url: Schema = { type: 'string', description: 'rtsp, rtsps, http, https, rtmp, rtmps, srt or udp; file where allow_schemes opens it; push: for a camera that brings its pictures.', examples: ['rtsp://192.168.1.20:554/stream'] };
const modelName: Schema = { type: ['string', 'array'], items: name, maxItems: MOST_MODELS, description: 'One model or several, or an empty list where the stream is on demand or the camera pushes; the default models if left out.' };
const capture = { model_name: modelName, models: { ...modelName, description: 'Another word for model_name, which goes before it.' }, ...streamOptions.properties };
const startFields = { camera_id: cameraId, rtsp_url: url, ...capture };
export const probeRequest: Schema = { type: 'object', properties: { rtsp_url: url, ...streamOptions.properties }, required: ['rtsp_url'], additionalProperties: false };
const probe = exact({
  engine: { enum: ['libav', 'ffmpeg', null], description: 'What captures it; null: neither.' },
  codec: maybeText,
  width: maybeNumber,
  height: maybeNumber,
  frames_per_second: maybeNumber,
  bits_per_second: maybeNumber,
  key_frame_seconds: { ...maybeNumber, description: 'From key frame to key frame.' },
  b_frames: { type: ['boolean', 'null'], description: 'Pictures come in another order than they are shown.' },
  damaged: { ...maybeNumber, description: 'Pictures of which something was lost on the way.' },
  clock_offset_seconds: { ...maybeNumber, description: 'By which the camera\'s clock is ahead of this machine\'s.' },
  capture_mode: { type: 'string', description: 'Which pictures would be decoded.' },
  picture_ms: { ...maybeNumber, description: 'Of a processor, for one captured picture.' },
  first_picture_seconds: { type: 'number', minimum: 0 },
  frame_base64: { ...maybeText, description: 'JPEG, as it would be captured.' },
});

const startRequired = ['camera_id', 'rtsp_url'];

const books = exact({ captured: count, recorded: count, dead_lettered: count, dropped: { type: 'object', additionalProperties: count }, in_spool: count });
const cameraRow = { cameraID: text, latitude: text, longitude: text };

const streamStatus = exact({
  camera_id: { type: ['string', 'number'] },
  session: maybeText,
  url: { type: 'string', description: 'Without credentials.' },
  models: list(text),
  options: { ...streamOptions, required: Object.keys(streamOptions.properties) },
  origin: { enum: ['yaml', 'api', 'demo'] },
  enabled: { type: 'boolean' },
  schedule: maybeText,
  capturing: { type: 'boolean', description: 'A capture is under way, whatever its models can do.' },
  state: { enum: ['starting', 'provisioning', 'running', 'reconnecting', 'failed', 'asleep', 'stopped'], description: 'asleep: it is on demand, and nobody asks for its pictures.' },
  reason: { type: 'string', description: 'Why it is in this state, in words.' },
  since: time,
  reconnects: { ...count, description: 'Since Lookout started.' },
  capture_mode: maybeText,
  camera_clock_offset_seconds: { ...maybeNumber, description: 'By which the camera\'s clock is ahead of this machine\'s, as it says itself; times are of this machine\'s.' },
  last_frame_at: maybeTime,
  last_frame_age_seconds: maybeNumber,
  late_after_seconds: { type: 'number', description: 'A picture that is older is an old one: a new one is missed.' },
  open_batch: { ...count, description: 'Frames in the open batch.' },
  queued: { ...count, description: 'Batches that wait for a model.' },
  books: ref('Books'),
  records: { ...count, description: 'Written since Lookout started.' },
  last_record_at: maybeTime,
  last_error: { anyOf: [{ type: 'null' }, exact({ code: text, message: text, at: time })] },
});

const followerStatus = exact({
  name: text,
  type: text,
  target: { type: 'string', description: 'Where it delivers to, without secrets.' },
  logs: list({ enum: ['records', 'events'] }),
  state: { enum: ['idle', 'delivering', 'waiting'], description: 'waiting: the target is away, or it cannot go on here, e.g. on a full disk.' },
  reason: { type: 'string', description: 'Why it waits.' },
  since: maybeTime,
  lag_items: { ...count, description: 'Items behind its cursor.' },
  lag_seconds: { type: 'number', minimum: 0, description: 'Age of the item that is being delivered.' },
  delivered: { ...count, description: 'Since it was configured first.' },
  lost: { ...count, description: 'Went from the log before they were delivered, or cannot be read there.' },
  set_aside: { ...count, description: 'Refused by the target.' },
  last_delivered_at: maybeTime,
});

const ruleName: Schema = { type: ['string', 'null'], minLength: 1, maxLength: 64, description: 'Of one rule of events; null: of all.' };

export const silenceRequest: Schema = {
  type: 'object',
  properties: { camera_id: cameraId, rule: ruleName, seconds: { type: 'number', minimum: 0, maximum: LONGEST_SILENCE, default: 3600, description: '0 ends one.' } },
  required: ['camera_id'],
  additionalProperties: false,
};

export const VERDICTS: readonly Verdict[] = ['true_alarm', 'false_alarm'];
const verdict: Schema = { enum: [...VERDICTS, null], description: 'What somebody says of it; null: nothing, or nothing any more.' };
const keep: Schema = { type: 'boolean', description: 'What shows it goes last where room is short.' };

export const reviewRequest: Schema = { type: 'object', properties: { verdict, keep }, additionalProperties: false, minProperties: 1 };

const { name: ruleNamed, hours, ...others } = EVENT_RULE.properties;
/** Without formats that nobody else knows. */
const ruleOptions = { ...others, hours: { ...maybeText, description: hours.description } };
/** The server says in its own words what does not fit. */
const ruleChange: Schema = {
  type: 'object',
  description: 'What is null is again as lookout.yaml says, or as usual.',
  properties: Object.fromEntries(Object.entries(ruleOptions).map(([option, schema]) => [option, { anyOf: [schema, { type: 'null' }] }])),
  additionalProperties: false,
  minProperties: 1,
};

const event = exact({
  kind: { const: 'event' },
  id: { type: 'string', description: 'UUIDv7.' },
  sequence: { ...count, description: 'Of this entry of it.' },
  state: { enum: ['begun', 'going_on', 'ended'] },
  at: { ...time, description: 'When the entry was made.' },
  camera_id: text,
  place: { anyOf: [{ type: 'null' }, exact({ latitude: { type: 'number' }, longitude: { type: 'number' } })] },
  rule: text,
  section: text,
  class: text,
  models: list(text),
  alert: { type: 'boolean' },
  suppressed: { enum: ['cooldown', 'hours', 'daily_limit', 'stationary', 'silenced', 'too_old', 'rule', null], description: 'Why it is no alert; null: it is one.' },
  began_at: { ...time, description: 'Of the first frame in which it was seen.' },
  last_seen_at: { ...time, description: 'Of the last.' },
  ended_at: maybeTime,
  ended_by: { enum: ['quiet', 'not_looked', 'max_seconds', 'interrupted', null], description: 'null: it goes on.' },
  frames: { ...count, description: 'In which it was seen.' },
  best: exact({
    captured_at: time,
    confidence: { type: 'number', minimum: 0, maximum: 1 },
    box: { type: ['array', 'null'], items: { type: 'number' }, minItems: 4, maxItems: 4, description: 'x1, y1, x2, y2 in pixels; null: it classifies the whole frame.' },
    width: count,
    height: count,
    picture: { ...maybeText, description: 'Name of its file under data/events; null: it could not be kept.' },
  }),
  clip: {
    anyOf: [{ type: 'null' }, exact({ id: text, made_of: { enum: ['video', 'frames'] }, begins_at: time, ends_at: time })],
    description: 'null: there is none, or not yet.',
  },
  batches: { type: ['array', 'null'], items: text, description: 'Batches that it spans; null while it goes on.' },
  verdict,
  keep,
}, {
  alerts_now: { const: true, description: 'In the one entry with which it begins to alert.' },
});

const notReady: Schema = { ...list(text), description: 'What keeps records from being written, with the reason; empty: nothing.' };

const lookCounts = exact({
  looked: { ...count, description: 'Frames that it looked at.' },
  failed: { ...count, description: 'Frames that it could not read, or failed on.' },
  skipped: { type: 'object', additionalProperties: count, description: 'Frames that it did not look at, by reason: overloaded, late, not_ready, resting, quarantined.' },
});

const modelStatus = exact({
  name: text,
  version: text,
  runtime: text,
  section: maybeText,
  origin: { enum: ['built-in', 'user'] },
  state: { enum: ['idle', 'provisioning', 'ready', 'busy', 'failed'] },
  reason: text,
  missing: { ...maybeText, description: 'What somebody must put there before it can run, e.g. its weights; null: nothing.' },
  progress: { ...maybeText, description: 'Last line of the environment that is being built.' },
  detector: maybeText,
  device: { ...maybeText, description: 'Where its runners that are up compute, as they say, e.g. cpu; several where they differ. null: none is up, or none says it.' },
  restarts: count,
  successor: {
    description: 'What is to take over from the runner that works, because files were edited, or why it cannot; null: nothing.',
    anyOf: [{ type: 'null' }, exact({
      version: text,
      state: { enum: ['provisioning', 'failed'] },
      reason: { type: 'string', description: 'Which files were edited, and what went wrong.' },
      progress: maybeText,
    })],
  },
  runners: {
    ...list(exact({ number: count, memory_bytes: { type: ['integer', 'null'], description: 'Of its processes, as far as it is in memory; null: none runs now, or the system does not tell.' } })),
    description: 'Those that are up.',
  },
  batches: { ...count, description: 'Batches of which it looked at a frame at least.' },
  inference_seconds: { type: 'number', minimum: 0, description: 'Of all frames that it looked at.' },
  looks: lookCounts,
  cameras: { type: 'object', additionalProperties: lookCounts, description: 'The same by camera.' },
});

/** The record's own schema comes from the app: it is written once, where records are made. */
const otherRecord: Schema = {
  type: 'object',
  description: 'A record that is shown without its picture (frame_base64), or that was written in another format or by the Flask orchestrator.',
  anyOf: [
    { required: ['basic'], properties: { basic: { type: 'object', required: ['camID', 'complaint_type'] } } },
    { required: ['camID', 'complaint_type'] },
  ],
};

export const SCHEMAS: Readonly<Record<string, Schema>> = {
  StartStream: { type: 'object', properties: startFields, required: startRequired },
  Started: {
    anyOf: [
      exact({ camera_id: cameraId, model_name: modelName, status: { const: 'started' } }),
      exact({ camera_id: cameraId, status: { const: 'already_running' } }),
    ],
  },
  StartStreams: {
    type: 'object',
    description: 'Models and options beside streams are for each of them that does not name its own.',
    properties: { streams: { type: 'array', minItems: 1, items: ref('StartStream') }, ...capture },
    required: ['streams'],
  },
  StartedStreams: exact({
    model_name: { type: ['string', 'array'], items: text, description: 'As it was sent, whether it is known or not.' },
    results: list({
      anyOf: [
        exact({ camera_id: text, status: { enum: ['started', 'already_running'] } }),
        exact({ camera_id: { description: 'As it was sent where a field is missing.' }, message: text, status: { const: 'error' } }),
      ],
    }),
  }),
  Cameras: exact({ cameras: list(exact(cameraRow)) }),
  AddCamera: {
    type: 'object',
    properties: { cameraID: cameraId, latitude: { type: ['number', 'string'] }, longitude: { type: ['number', 'string'] } },
    required: ['cameraID', 'latitude', 'longitude'],
  },
  CameraAdded: exact({ cameraID: text, status: { const: 'added' } }),
  StopStream: exact({ camera_id: cameraId }),
  Stopped: exact({ camera_id: cameraId, status: { enum: ['stopped', 'not_running'] } }),
  Removed: exact({ camera_id: cameraId, status: { const: 'removed' } }),
  Streams: exact({
    version: { type: 'string', description: 'Of this answer; as since it asks for what is new.' },
    complete: { type: 'boolean', description: 'These are all streams, whatever was known: no since was given, or one of before a restart, or too old.' },
    streams: list(ref('StreamStatus')),
    removed: { ...list({ type: ['string', 'number'] }), description: 'Cameras whose stream is gone; empty in a complete answer.' },
    books: ref('Books'),
    not_ready: notReady,
  }),
  StreamStatus: streamStatus,
  StreamChange: streamChange,
  ProbeRequest: probeRequest,
  Probe: { ...probe, description: 'null: that cannot be told.' },
  Pushed: exact({
    camera_id: text,
    captured_at: time,
    taken: { type: 'boolean', description: 'It is stored and looked at; else it was let go, because its stream takes a picture in so many seconds.' },
    note: { ...maybeText, description: 'What was made of X-Captured-At, where that is not what it says.' },
  }),
  PushServerStatus: exact({ frame_age_seconds: maybeNumber, last_frame_time: { type: 'number' }, oil_spill_detected: { type: 'boolean' }, oil_spill_events: count, server_time: { type: 'number' }, stream_active: { type: 'boolean' } }),
  OilSpillEvents: list(exact({ datetime: text, frame_path: text, timestamp: text })),
  OilSpillSummary: exact({ current_status: text, last_detection: maybeText, total_events: count }),
  CameraPassword: exact({ password: text }),
  PushServerDone: exact({ status: text }),
  ClipRequest: clipRequest,
  Clip: clip,
  Clips: exact({ clips: list(ref('Clip')) }),
  ClipRemoved: exact({ id: text, status: { const: 'removed' } }),
  Books: { ...books, description: 'Frames: captured = recorded + dead_lettered + dropped + in_spool, at any time.' },
  Models: exact({ models: list(ref('ModelStatus')), default_models: list(text) }),
  ModelStatus: modelStatus,
  ModelLog: exact({ lines: list(exact({ at: time, text })) }),
  Records: exact({ records: list({ anyOf: [ref('Record'), ref('OtherRecord')] }) }),
  OtherRecord: otherRecord,
  Events: exact({ events: list(ref('Event')) }),
  Event: { ...event, description: 'An episode in which a class is seen by a camera, as its newest entry in the log of events tells it, and the newest review.' },
  ReviewRequest: reviewRequest,
  Rules: exact({ rules: list(ref('Rule')) }),
  Rule: exact({ name: { ...text, description: ruleNamed.description }, ...ruleOptions }),
  RuleChange: ruleChange,
  SilenceRequest: silenceRequest,
  Silenced: exact({ camera_id: text, rule: ruleName, until: time }),
  Silences: exact({ silences: list(exact({ camera_id: text, rule: ruleName, from: time, until: time })) }),
  Followers: exact({ followers: list(ref('FollowerStatus')) }),
  FollowerStatus: followerStatus,
  Reached: exact({ reached: { type: 'string', description: 'In words.' } }),
  Rewind: { type: 'object', properties: { to: { type: 'string', description: 'now, beginning, or a time, RFC 3339.' } }, required: ['to'] },
  Rewound: exact({ status: { const: 'rewound' } }),
  Retried: exact({ taken: count }),
  Health: exact({ status: { const: 'ok' }, version: text, log_lines_lost: { ...count, description: 'since the start, because whoever reads the log had gone' } }),
  Readiness: exact({
    status: { enum: ['ready', 'not_ready'] },
    not_ready: notReady,
    parts: list(exact({ part: { enum: ['server', 'disk', 'records'] }, ready: { type: 'boolean' }, reasons: { ...list(text), description: 'Why it is not.' } })),
    storage: {
      ...list(exact({ folder: { enum: ['data', 'frames'] }, free_bytes: count, size_bytes: count, free_inodes: { type: ['integer', 'null'], description: 'Files that may still be made.' } })),
      description: 'The room where data and frames lie; empty while a disk gives no answer.',
    },
  }),
  StartForm: {
    type: 'object',
    properties: { camera_id: text, rtsp_url: text, username: text, password: text, model_name: text, latitude: text, longitude: text },
    required: startRequired,
  },
  PlainError: exact({ error: text }),
  Error: exact({ error: text, code: { enum: Object.keys(ERRORS) } }),
};
