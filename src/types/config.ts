/** The settings, and how they are described. */
import type { EventRule } from './event.ts';
import type { Item } from './log.ts';
import type { CaptureMode, StreamOptions } from './stream.ts';

/** A stream in lookout.yaml. */
export interface ConfiguredStream {
  readonly camera_id: string | number;
  readonly url: string;
  readonly models?: readonly string[];
  readonly options?: Partial<StreamOptions>;
  readonly enabled?: boolean;
  /** Cron expression of the minutes in which it works, e.g. `* 8-17 * * 1-5`. */
  readonly schedule?: string;
}

/** An item of `followers:` in lookout.yaml, with the settings of its own type. */
export interface ConfiguredFollower {
  readonly name: string;
  /** A file of src/followers. */
  readonly type: string;
  readonly logs: readonly Item['log'][];
  readonly events: 'alerts' | 'all';
  /** Where it begins the first time: `now`, `beginning`, or a time. */
  readonly from: string;
  readonly pictures: boolean;
  readonly aside_max_bytes: number;
  readonly [setting: string]: unknown;
}

type JsonType = 'string' | 'number' | 'integer' | 'boolean' | 'array' | 'object' | 'null';

/** The part of JSON Schema that settings are written in. A default in `<…>` is worked out when settings are loaded. */
export interface SettingSchema {
  readonly description: string;
  readonly type: JsonType | readonly JsonType[];
  readonly default: unknown;
  readonly enum?: readonly (string | null)[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly minItems?: number;
  readonly format?: string;
  readonly items?: object;
}

/** By name. */
export type SettingSchemas = Readonly<Record<string, SettingSchema>>;

/**
 * The settings that more than one part goes by, complete and checked. The schema in config/schema.ts is its twin:
 * descriptions, defaults, ranges. What one source, runtime or stage alone goes by stands in its file.
 */
export interface Config {
  readonly host: string;
  readonly port: number;
  readonly data_dir: string;
  readonly frames_dir: string;
  /** The user's models folder; the built-in one comes after it. */
  readonly models_dir: string;
  /** Folder of the Flask orchestrator that is continued in place; null: none. */
  readonly project: string | null;
  readonly camera_data: string;
  readonly predictions: string;
  /** Who may read new files; null: `user`, with a project `all`. */
  readonly share_files: 'user' | 'group' | 'all' | null;
  /** User that models and their builds run as, by name or number; null: Lookout's own. */
  readonly runner_user: string | null;
  /** Asked of every client when set. */
  readonly token: string | null;
  readonly insecure: boolean;
  readonly allowed_hosts: readonly string[];
  readonly allow_schemes: readonly string[];
  /** Host names, addresses, networks. */
  readonly allow_hosts: readonly string[];
  readonly tls: string;
  readonly interval_seconds: number;
  readonly batch_size: number;
  /** null: twice size times interval, at least 60. */
  readonly batch_deadline_seconds: number | null;
  readonly capture_mode: CaptureMode;
  readonly transport: 'tcp' | 'udp';
  /** What captures RTSP cameras over TCP. */
  readonly capture_engine: 'auto' | 'libav' | 'ffmpeg';
  /** 1 to 100, as OpenCV counts it. */
  readonly jpeg_quality: number;
  /** Pixels; null: as the camera sends. */
  readonly max_width: number | null;
  /** null: `animals`, and with record_format v3 `animals, potholes, garbage`. */
  readonly default_models: readonly string[] | null;
  readonly model_deadline_seconds: number;
  readonly model_retries: number;
  readonly runner_restarts: number;
  readonly runner_restart_window_seconds: number;
  readonly runner_idle_seconds: number;
  readonly join_deadline_seconds: number;
  readonly offline: boolean;
  readonly queue_per_stream: number;
  readonly max_streams: number;
  readonly queue_total: number;
  /** Of earlier versions; it has no effect. */
  readonly batches_at_once: number;
  readonly record_format: 'v1' | 'v2' | 'v3';
  readonly dead_letter_max_bytes: number;
  readonly clips_max_bytes: number;
  /** null: a twentieth of the file system, 1 GB at the most. */
  readonly min_free_bytes: number | null;
  /** IANA name; `system`: the host's. */
  readonly time_zone: string;
  /** `auto`, an interface's name, or what records are to say: an address, or a host name with a dot. */
  readonly host_ip: string;
  readonly format: 'json' | 'ndjson';
  /** Bytes; null: 400 MB for files that Lookout began, never for an adopted one. 0: never. */
  readonly rotate_bytes: number | null;
  readonly rotate_gzip: boolean;
  /** Of the current file and rotated ones; null: none is ever deleted. */
  readonly records_max_bytes: number | null;
  readonly grace_seconds: number;
  readonly log_level: 'error' | 'warn' | 'info' | 'debug';
  readonly log_format: 'text' | 'json';
  /** Of one picture that a camera pushes. */
  readonly push_max_bytes: number;
  /** Camera of the push-frame server that Lookout stands in for; null: none. */
  readonly push_camera: string | null;
  /** What that camera and who starts and stops it send. */
  readonly camera_password: string | null;
  /** Who may watch it; null: everybody where no token is asked for. */
  readonly push_camera_viewers: 'open' | 'token' | null;
  readonly streams: readonly ConfiguredStream[];
  readonly events: readonly (Partial<EventRule> & Pick<EventRule, 'name'>)[] | null;
  readonly max_alert_age_seconds: number;
  readonly event_pictures_max_bytes: number;
  readonly followers: readonly ConfiguredFollower[];
  /** Bytes of records and events beyond what they may have, which stay for followers that have not delivered them. */
  readonly followers_hold_bytes: number;
}
