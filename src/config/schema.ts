/** Every setting: what it means, its default and its range. Flags, environment names and the README's table follow it. */
import { EVENT_RULE } from '../words/event-rules.ts';
import { SHORTEST_INTERVAL, STREAM_OPTIONS } from '../words/stream-options.ts';
import type { Config, SettingSchema, SettingSchemas } from '../types.ts';
import { membersSettings } from './members.ts';

const NAMES = { type: 'string', minLength: 1 } as const;

/** Settings that a stream may have its own value of. */
const CAPTURE = {
  interval_seconds: { ...STREAM_OPTIONS.interval_seconds, description: 'Seconds from one frame of a camera to the next.', minimum: SHORTEST_INTERVAL, default: 3 },
  batch_size: { ...STREAM_OPTIONS.batch_size, default: 10 },
  batch_deadline_seconds: {
    ...STREAM_OPTIONS.batch_deadline_seconds,
    description: 'A batch is closed after this long even if it is not full; null: 2 x size x interval, at least 60.',
    type: ['number', 'null'], default: null,
  },
  capture_mode: { ...STREAM_OPTIONS.capture_mode, default: 'auto' },
  transport: { ...STREAM_OPTIONS.transport, default: 'tcp' },
} as const satisfies Partial<Record<keyof Config, SettingSchema>>;

/** One item of `streams:` in lookout.yaml. */
export const STREAM = {
  type: 'object',
  required: ['camera_id', 'url'],
  additionalProperties: false,
  properties: {
    camera_id: { type: ['string', 'number'], format: 'camera-id' },
    url: { type: 'string', format: 'stream-url' },
    models: { type: 'array', items: NAMES },
    options: { type: 'object', additionalProperties: false, properties: STREAM_OPTIONS },
    enabled: { type: 'boolean' },
    schedule: { type: 'string', format: 'cron' },
  },
} as const;

/** One item of `followers:` in lookout.yaml; what else it may have is its type's to say. */
const FOLLOWER = { type: 'object', required: ['name', 'type'], properties: { name: { type: 'string', format: 'follower-name' }, type: { type: 'string', format: 'follower-type' } } } as const;

/** What more than one part goes by. */
const COMMON = {
  host: {
    description: 'Address to listen on. Where other machines reach it, or with runner_user, a token is made if none is set, and kept in data_dir.',
    type: 'string', minLength: 1, default: '127.0.0.1',
  },
  port: {
    description: 'Port to listen on; 0: any free one. PORT in the environment means the same.',
    type: 'integer', minimum: 0, maximum: 65_535, default: 5000,
  },
  data_dir: {
    description: 'Records, camera table, environments, dead letters. With a project: its data/.',
    type: 'string', minLength: 1, default: './data',
  },
  frames_dir: {
    description: 'Captured pictures until their record is written. With a project: its frames/.',
    type: 'string', minLength: 1, default: './frames',
  },
  models_dir: {
    description: 'Your models; they win over built-in ones of the same name. With a project: its models/.',
    type: 'string', minLength: 1, default: './models',
  },
  project: {
    description: 'Folder of the Flask orchestrator that is continued in place; null: none.',
    type: ['string', 'null'], minLength: 1, default: null,
  },
  camera_data: {
    description: 'CSV with the columns cameraID, latitude, longitude. With a project: its own.',
    type: 'string', minLength: 1, default: '<data_dir>/camera_data.csv',
  },
  predictions: {
    description: 'Where records are appended; its ending follows format. With a project: its own.',
    type: 'string', minLength: 1, default: '<data_dir>/predictions.json',
  },
  share_files: {
    description: 'Who may read new files, with their pictures, records and secrets; all: as the umask says. null: user, with a project all.',
    type: ['string', 'null'], enum: ['user', 'group', 'all', null], default: null,
  },
  runner_user: {
    description: 'User, by name, that models and what builds them run as, away from Lookout\'s secrets; Lookout must be root. null: its own.',
    type: ['string', 'null'], minLength: 1, default: null,
  },
  token: {
    description: 'Asked of every client (Authorization: Bearer …) when set; 16 characters or more.',
    type: ['string', 'null'], minLength: 1, format: 'token', default: null,
  },
  insecure: {
    description: 'Lets other machines, and models with runner_user, in without a token: none is made.',
    type: 'boolean', default: false,
  },
  allowed_hosts: {
    description: 'Host names, beside the address itself, that browsers may call Lookout by.',
    type: 'array', items: NAMES, default: [],
  },
  allow_schemes: {
    description: 'What streams started over HTTP may read beside what cameras send: file (files of this machine), hls (playlists, which can lead it to any address).',
    type: 'array', items: { type: 'string', format: 'scheme' }, default: [],
  },
  allow_hosts: {
    description: 'Names, addresses and networks that streams started over HTTP may lead to beside cameras: link-local and metadata addresses, Lookout\'s own port, and over HTTP, where others reach Lookout, this machine itself.',
    type: 'array', items: { type: 'string', format: 'host-or-network' }, default: [],
  },
  tls: { ...STREAM_OPTIONS.tls, default: 'verify' },
  ...CAPTURE,
  capture_engine: {
    description: 'What captures RTSP cameras over TCP: libav (a process for every 32 cameras), ffmpeg (one for each), or auto: libav where it can be used.',
    type: 'string', enum: ['auto', 'libav', 'ffmpeg'], default: 'auto',
  },
  jpeg_quality: {
    description: 'Of stored frames, as OpenCV counts it; above 95 cameras are captured by ffmpeg, whose steps are finer.',
    type: 'integer', minimum: 1, maximum: 100, default: 95,
  },
  max_width: {
    description: 'Frames are scaled down to this many pixels; null: as the camera sends.',
    type: ['integer', 'null'], minimum: 16, maximum: 16_384, default: null,
  },
  default_models: {
    description: 'For streams that name none; null: animals, and with record_format v3 animals, potholes, garbage.',
    type: ['array', 'null'], items: NAMES, minItems: 1, default: null,
  },
  push_max_bytes: {
    description: 'Bytes of a picture that a camera pushes; larger ones are refused.',
    type: 'integer', minimum: 1000, maximum: 64 * 1024 * 1024, default: 20_000_000,
  },
  push_camera: {
    description: 'Id of the camera with which Lookout stands in for the push-frame server Videostream, at that system\'s own routes; null: it does not.',
    type: ['string', 'null'], format: 'camera-id', default: null,
  },
  camera_password: {
    description: 'Of push_camera: asked of what uploads, starts and stops. CAMERA_PASSWORD in the environment, or CAMERA_PASSWORD_FILE, means the same.',
    type: ['string', 'null'], minLength: 1, default: null,
  },
  push_camera_viewers: {
    description: 'Who may watch push_camera at that system\'s routes: everybody (open), or who sends the token; null: open where no token is asked for.',
    type: ['string', 'null'], enum: ['open', 'token', null], default: null,
  },
  model_deadline_seconds: {
    description: 'Time a model has for one call, unless its manifest says otherwise.',
    type: 'number', minimum: 0.1, maximum: 86_400, default: 60,
  },
  model_retries: {
    description: 'Further tries of a batch after the first has failed, for models that look by batch; and runs of Lookout that may end on it.',
    type: 'integer', minimum: 0, maximum: 100, default: 2,
  },
  runner_restarts: {
    description: 'How often a runner may die within the restart window before its model counts as failed.',
    type: 'integer', minimum: 0, maximum: 1000, default: 5,
  },
  runner_restart_window_seconds: {
    description: 'Seconds over which runner restarts are counted.',
    type: 'number', minimum: 1, maximum: 86_400, default: 60,
  },
  runner_idle_seconds: {
    description: 'A runner without work is stopped after this long.',
    type: 'number', minimum: 1, maximum: 604_800, default: 600,
  },
  join_deadline_seconds: {
    description: 'How long a batch waits for its other models once one has answered.',
    type: 'number', minimum: 0, maximum: 86_400, default: 30,
  },
  offline: {
    description: 'Fetches nothing: neither packages nor weights.',
    type: 'boolean', default: false,
  },
  max_streams: {
    description: 'Streams that may be known at a time; then no other is started.',
    type: 'integer', minimum: 1, maximum: 100_000, default: 1000,
  },
  queue_per_stream: {
    description: 'Batches of one stream that may wait for models that cannot look yet.',
    type: 'integer', minimum: 1, maximum: 10_000, default: 3,
  },
  queue_total: {
    description: 'Closed batches that may be unsettled in all, two for each stream at the least; then the fullest stream loses its oldest.',
    type: 'integer', minimum: 1, maximum: 100_000, default: 200,
  },
  batches_at_once: {
    description: 'Has no effect any more: frames are looked at as they come.',
    type: 'integer', minimum: 1, maximum: 1000, default: 200,
  },
  record_format: {
    description: 'v1: nested; v2 and v3: the flat records of later Flask orchestrators.',
    type: 'string', enum: ['v1', 'v2', 'v3'], default: 'v1',
  },
  dead_letter_max_bytes: {
    description: 'Bytes of dead letters: batches that some model could not answer; the oldest go first.',
    type: 'integer', minimum: 0, default: 1_000_000_000,
  },
  clips_max_bytes: {
    description: 'Bytes of clips under data/clips; the oldest go first, those of events that are to be kept after all others.',
    type: 'integer', minimum: 0, default: 10_000_000_000,
  },
  min_free_bytes: {
    description: 'Bytes that are to stay free on the disks of data, frames and records, else what can be spared is let go; null: a twentieth of the disk, 1 GB at the most.',
    type: ['integer', 'null'], minimum: 0, default: null,
  },
  time_zone: {
    description: 'Of the times in records and in schedules, by IANA name such as Europe/Berlin; system: the host\'s.',
    type: 'string', format: 'time-zone', default: 'system',
  },
  host_ip: {
    description: 'auto, the name of a network interface, or what records are to say: an address, or a host name with a dot.',
    type: 'string', minLength: 1, default: 'auto',
  },
  format: {
    description: 'Of the records file: one JSON array, or a record per line.',
    type: 'string', enum: ['json', 'ndjson'], default: 'json',
  },
  rotate_bytes: {
    description: 'A records file of this size is set aside; 0: never; null: 400 MB, never for a file that Lookout did not begin.',
    type: ['integer', 'null'], minimum: 0, default: null,
  },
  rotate_gzip: {
    description: 'Records files that are set aside are gzipped, each record by itself, so that it is found as fast as before.',
    type: 'boolean', default: false,
  },
  records_max_bytes: {
    description: 'Bytes of records beyond which the oldest files that were set aside are deleted; null: never.',
    type: ['integer', 'null'], minimum: 0, default: null,
  },
  grace_seconds: {
    description: 'Time for a stop in order before what still runs is killed.',
    type: 'number', minimum: 0, maximum: 3600, default: 15,
  },
  log_level: {
    description: 'The least important lines that are still written.',
    type: 'string', enum: ['error', 'warn', 'info', 'debug'], default: 'info',
  },
  log_format: {
    description: 'Lines for people, or JSON for collectors.',
    type: 'string', enum: ['text', 'json'], default: 'text',
  },
  streams: {
    description: 'Streams that start with the server; in lookout.yaml only.',
    type: 'array', items: STREAM, default: [],
  },
  events: {
    description: 'Rules of events: what makes one, and when it alerts; in lookout.yaml only. null: every complaint alerts.',
    type: ['array', 'null'], items: EVENT_RULE, default: null,
  },
  max_alert_age_seconds: {
    description: 'What is looked at later than this, after a stop or while a model was away, alerts nobody.',
    type: 'number', minimum: 0, maximum: 604_800, default: 300,
  },
  event_pictures_max_bytes: {
    description: 'Bytes of pictures of events under data/events; the oldest go first, those of events that are to be kept after all others.',
    type: 'integer', minimum: 0, default: 5_000_000_000,
  },
  followers: {
    description: 'Where records and events are delivered to; in lookout.yaml only.',
    type: 'array', items: FOLLOWER, default: [],
  },
  followers_hold_bytes: {
    description: 'Bytes by which files that were set aside may exceed records_max_bytes while a follower has not delivered them.',
    type: 'integer', minimum: 0, default: 1_000_000_000,
  },
} as const satisfies Record<keyof Config, SettingSchema>;

export const SETTINGS: SettingSchemas = { ...COMMON, ...(await membersSettings(Object.keys(COMMON))) };

/** Complete settings, as they are after loading. */
export const CONFIG_SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Settings of Lookout',
  type: 'object',
  additionalProperties: false,
  required: Object.keys(SETTINGS),
  properties: SETTINGS,
};
