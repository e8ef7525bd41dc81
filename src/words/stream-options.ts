/** What a stream may have its own value of, as JSON Schema: one range for lookout.yaml, settings and requests. */
import type { StreamOptions } from '../types.ts';
import { isPush } from './push.ts';

export const STREAM_OPTIONS = {
  interval_seconds: {
    type: 'number', minimum: 0, maximum: 3600, description: 'Seconds from one frame of a camera to the next, at least 0.1; 0 for a camera that pushes: every picture.',
  },
  batch_size: {
    type: 'integer', minimum: 1, maximum: 100, description: 'Frames in a batch; 1 gives one record for each frame.',
  },
  batch_deadline_seconds: {
    type: 'number', minimum: 0.1, maximum: 604_800, description: 'A batch is closed after this long even if it is not full.',
  },
  capture_mode: {
    type: 'string', enum: ['auto', 'keyframes', 'all'], description: 'Which pictures are decoded: key frames only, all, or what the stream allows at least cost.',
  },
  transport: {
    type: 'string', enum: ['tcp', 'udp'], description: 'How RTSP cameras send: over TCP, or UDP where packets may be lost.',
  },
  video_track: {
    type: 'integer', minimum: 1, maximum: 32, description: 'Which video is taken of a stream that has several.',
  },
  tls: {
    type: 'string', pattern: '^(verify|off|sha256:([0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2})$',
    description: 'How a camera over TLS is known: verify (its certificate is trusted), off (not at all), or sha256: and the fingerprint of its certificate.',
  },
  duration_seconds: {
    type: ['number', 'null'], minimum: 0.1, maximum: 31_536_000, description: 'The stream stops by itself so long after it was started, or this option changed, over restarts of Lookout too; one of lookout.yaml so long after Lookout started. null: never.',
  },
  clips: {
    type: 'boolean', description: 'Keeps the last seconds of video (pre_roll_seconds), so that clips begin before they are asked for; events that alert have clips.',
  },
  on_demand: {
    type: 'boolean', description: 'The stream runs only while somebody asks for its picture, live video or MJPEG; else it is asleep. It may have no model.',
  },
  linger_seconds: {
    type: 'number', minimum: 0, maximum: 86_400, description: 'A stream on demand runs so long after nobody asks any more.',
  },
} as const;

export const SHORTEST_INTERVAL = 0.1;

/** Whether the cameras of this address can be asked so often; those that push decide themselves how often they do. */
export function isInterval(seconds: number | undefined, url: string): boolean {
  return seconds === undefined || seconds >= SHORTEST_INTERVAL || (seconds === 0 && isPush(url));
}

/** Whether a stream may have no model: its camera says itself what it has seen, or it is there to be watched. */
export function mayLackModels(url: string, { on_demand }: Partial<Pick<StreamOptions, 'on_demand'>>): boolean {
  return isPush(url) || on_demand === true;
}

/** What streams of a version had that did not keep their options, and pictures that no stream captured. */
export const USUAL_STREAM_OPTIONS: StreamOptions = {
  interval_seconds: 3, batch_size: 10, batch_deadline_seconds: 60, capture_mode: 'auto', transport: 'tcp', video_track: 1, tls: 'verify', duration_seconds: null, clips: false, on_demand: false, linger_seconds: 30,
};

/** Options that were kept, with those of `usual` for each that is missing or is nothing that it may be. */
export function usableOptions(kept: unknown, usual: StreamOptions): StreamOptions {
  const given = (kept ?? {}) as Readonly<Record<string, unknown>>;
  const usable = Object.entries<Range>(STREAM_OPTIONS).filter(([name, range]) => fits(given[name], range)).map(([name]) => [name, given[name]]);
  return { ...usual, ...(Object.fromEntries(usable) as Partial<StreamOptions>) };
}

interface Range {
  readonly type: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
}

function fits(value: unknown, { type, enum: words, minimum = -Infinity, maximum = Infinity }: Range): boolean {
  const types = [type].flat();
  if (value === null) return types.includes('null');
  if (words) return words.includes(value);
  if (typeof value === 'boolean') return types.includes('boolean');
  return typeof value === 'number' && value >= minimum && value <= maximum && (!types.includes('integer') || Number.isInteger(value));
}
