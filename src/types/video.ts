/** Video of a camera: live, recorded, kept as clips, probed. */

/** Copies of what cameras send. Throws `no_live_video` where there is no video or nothing is captured, `stream_ended` where the camera was lost. */
export interface VideoSource {
  /** Clips of events may have to begin earlier now, or there are none any more: of each camera's video as much is held as that takes. */
  rulesChanged(): void;
  /**
   * Fragmented MP4, from a key frame on, until the camera is lost, its pictures become other ones, or the signal aborts; who
   * takes it slowly skips pictures. Resolves with the first of it: iterate it, or abort.
   */
  live(cameraId: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /** Resolves when the file, which must not be there yet, is an MP4; throws also `stream_stalled`, `disk_full`, `disk_failed`. */
  clip(cameraId: string, file: string, wanted: ClipRequest): Promise<ClipFacts>;
  /** Copies what comes into the file, which must not be there yet. Resolves once it has begun; throws what `clip` throws. */
  record(cameraId: string, file: string, wanted: RecordingRequest): Promise<Recording>;
}

export interface RecordingRequest {
  readonly before_seconds: number;
  readonly longest_seconds: number;
}

/** Video that is being copied into a file: fragmented MP4, which can be read as far as it has come, whatever ends it. */
export interface Recording extends Omit<ClipFacts, 'seconds'> {
  /** Resolves when nothing more comes, with why it ended by itself, in words; null: it was stopped, or is as long as was asked. */
  readonly ended: Promise<string | null>;
  stop(): void;
}

/** What a camera sends, seen for some seconds. null: that cannot be told of it. */
export interface Probe {
  /** `libav`, or `ffmpeg`, captures it. */
  readonly engine: 'libav' | 'ffmpeg' | null;
  readonly codec: string | null;
  /** Pixels. */
  readonly width: number | null;
  readonly height: number | null;
  readonly frames_per_second: number | null;
  readonly bits_per_second: number | null;
  /** Seconds from key frame to key frame; null too where there are none. */
  readonly key_frame_seconds: number | null;
  /** Pictures come in another order than they are shown. */
  readonly b_frames: boolean | null;
  /** Pictures of which something was lost on the way. */
  readonly damaged: number | null;
  /** Seconds by which the camera's clock is ahead of this machine's. */
  readonly clock_offset_seconds: number | null;
  /** Which pictures would be decoded at the interval that was asked for, in words. */
  readonly capture_mode: string;
  /** Milliseconds of a processor for one captured picture. */
  readonly picture_ms: number | null;
  /** Seconds until the first came. */
  readonly first_picture_seconds: number;
  /** One of its pictures, as it would be captured; null: none could be made within the time. */
  readonly jpeg: Uint8Array | null;
}

/** Seconds of a camera's video about the moment of the request. */
export interface ClipRequest {
  readonly before_seconds: number;
  readonly after_seconds: number;
}

export interface ClipFacts {
  /** RFC 3339: when its first picture was taken. */
  readonly begins_at: string;
  readonly seconds: number;
  readonly codec: 'h264' | 'h265';
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Why it holds less than was asked for, in words; null: it holds all. */
  readonly reason: string | null;
}

/** Video that is kept. */
export interface Clip extends ClipFacts {
  readonly id: string;
  readonly camera_id: string;
  readonly bytes: number;
  /** `video`: copied as the camera sent it. `frames`: made of the frames that were captured. */
  readonly made_of: 'video' | 'frames';
  /** Ids of the events that it shows; none: somebody asked for it. */
  readonly events: readonly string[];
}
