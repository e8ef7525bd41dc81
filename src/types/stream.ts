/** A camera, and what somebody asked for: its stream. */

/** A place with an id and coordinates (degrees, WGS 84); null where the table has none that can be used. */
export interface Camera {
  readonly id: string;
  readonly latitude: number | null;
  readonly longitude: number | null;
}

export type CaptureMode = 'auto' | 'keyframes' | 'all';

/** How one stream is captured and batched. */
export interface StreamOptions {
  readonly interval_seconds: number;
  readonly batch_size: number;
  readonly batch_deadline_seconds: number;
  readonly capture_mode: CaptureMode;
  readonly transport: 'tcp' | 'udp';
  /** Of the stream's videos, counted from 1. */
  readonly video_track: number;
  /** How a camera over TLS is known: `verify`, `off`, or `sha256:` and the fingerprint of its certificate. */
  readonly tls: string;
  /** The stream stops by itself so long after it was started; null: never. */
  readonly duration_seconds: number | null;
  /** Its last seconds of video are kept, so that clips begin before they are asked for; and its events that alert have clips. */
  readonly clips: boolean;
  /** It runs while somebody asks for its pictures, and `linger_seconds` after; else it is asleep. */
  readonly on_demand: boolean;
  readonly linger_seconds: number;
}

/** What somebody asked for: one camera, its address, the models that look at it. */
export interface StreamSpec {
  readonly camera_id: string;
  readonly url: string;
  /** Nobody sent the address over HTTP: it may lead anywhere. */
  readonly trusted: boolean;
  readonly models: readonly string[];
  readonly options: StreamOptions;
}
