/** Looks at a camera that nobody captures yet: what it sends, and a picture. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LookoutError } from '../errors.ts';
import { linked } from '../lib/linked.ts';
import type { CapturedFrame, Probe, ProbeRequest, Source, StreamSpec } from '../types.ts';
import { sourceOf, specOf, type StreamEntryParts } from './stream-entry.ts';

const LONGEST_MS = 15_000;

/** `trusted`: not sent over HTTP. Throws `forbidden_scheme`, `forbidden_address`, and what sources throw. */
export async function probeStream(
  { url, options = {} }: ProbeRequest, trusted: boolean, parts: Pick<StreamEntryParts, 'config' | 'sources'>, signal: AbortSignal,
): Promise<Probe> {
  const source = sourceOf(url, trusted, parts);
  const stream = specOf({ camera_id: 'probe', url, trusted, models: [], asked: options }, parts.config);
  const life = linked(signal);
  const timer = setTimeout(() => { life.abort(new LookoutError('stream_stalled', `no picture came within ${LONGEST_MS / 1000} s`)); }, LONGEST_MS);
  try {
    return await source.probe?.(stream, life.signal) ?? await probeFrames(source, stream, life.signal);
  } finally {
    clearTimeout(timer);
    life.release();
  }
}

/** What the first picture tells. */
async function probeFrames(source: Source, stream: StreamSpec, signal: AbortSignal): Promise<Probe> {
  const begun = performance.now();
  const folder = await mkdtemp(join(tmpdir(), 'lookout-probe-'));
  try {
    for await (const frame of source.frames(stream, folder, signal)) {
      return {
        // Those that can be looked at otherwise are ffmpeg's then.
        engine: source.probe ? 'ffmpeg' : null,
        codec: null, width: frame.width, height: frame.height, frames_per_second: null, bits_per_second: null, key_frame_seconds: null, b_frames: null, damaged: null,
        clock_offset_seconds: null, capture_mode: frame.mode, picture_ms: null, first_picture_seconds: (performance.now() - begun) / 1000, jpeg: await bytesOf(frame),
      };
    }
    signal.throwIfAborted();
    throw new LookoutError('stream_ended', 'the stream ended before a picture came');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function bytesOf({ picture }: CapturedFrame): Promise<Uint8Array> {
  return 'jpeg' in picture ? picture.jpeg : readFile(picture.file);
}
