/** Captures for the tests of sources: what is asked for, and what came of it. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { LookoutError } from '../../src/errors.ts';
import { silentLog } from '../../src/lib/log.ts';
import { boundsOf } from '../../src/lib/reach.ts';
import { captureFrames } from '../../src/sources/ffmpeg/capture.ts';
import { create as createRtsp } from '../../src/sources/rtsp.ts';
import type { PictureSettings } from '../../src/sources/pictures/jpeg.ts';
import type { CapturedFrame, Source, StreamOptions, StreamSpec } from '../../src/types.ts';
import { hasLibav } from './feeds/native/clips.ts';

const OPTIONS: StreamOptions = {
  interval_seconds: 3, batch_size: 10, batch_deadline_seconds: 60, capture_mode: 'auto', transport: 'tcp', video_track: 1, tls: 'verify', duration_seconds: null, clips: false, on_demand: false, linger_seconds: 30,
};
export const PICTURES = { jpeg_quality: 90, max_width: null };
/** What is kept of video. */
export const VIDEO = { pre_roll_seconds: 10, capture_host_max_bytes: 1_000_000_000 };
export const NO_RULES = { rules: () => [] } as const;
const REACHABLE = { host: '127.0.0.1', port: 5000, runner_user: null, token: null, allowed_hosts: [], allow_hosts: [] };
/** What Lookout is to streams that were started over HTTP, as its settings and as the bounds that they set. */
export const BOUNDS = { ...REACHABLE, ...boundsOf(REACHABLE) };
export const never = new AbortController().signal;

export function streamOf(url: string, options: Partial<StreamOptions> = {}): StreamSpec {
  return { camera_id: 'CAM-1', url, trusted: true, models: [], options: { ...OPTIONS, ...options } };
}

/** By ffmpeg alone. */
export function capture(url: string, options: Partial<StreamOptions> = {}, signal: AbortSignal = never, settings: PictureSettings = PICTURES): AsyncGenerator<CapturedFrame, void> {
  return inFolder((folder) => captureFrames({ stream: streamOf(url, options), settings, folder, realTime: false }, signal));
}

export const ENGINES = ['libav', 'ffmpeg'] as const;
export type Engine = (typeof ENGINES)[number];
/** Whether an engine can be used here, and what a test is called that needs it. */
export const canUse = (engine: Engine): boolean => engine === 'ffmpeg' || hasLibav;
export const inWords = (engine: Engine): string => (engine === 'libav' ? 'libav (missed where the binary of node-av is absent)' : engine);

/** As the source of RTSP cameras does it, which asks a camera first. A file that captures so closes the sources when it is over. */
export function captureRtsp(url: string, options: Partial<StreamOptions> = {}, { engine = hasLibav ? 'libav' : 'ffmpeg', signal = never }: { readonly engine?: Engine; readonly signal?: AbortSignal } = {}): AsyncGenerator<CapturedFrame, void> {
  const source = sources.get(engine) ?? createRtsp({ config: { ...PICTURES, ...BOUNDS, ...VIDEO, capture_engine: engine }, log: silentLog, ...NO_RULES });
  sources.set(engine, source);
  captures += 1;
  const stream = { ...streamOf(url, options), camera_id: `CAM-${captures}` };
  return inFolder((folder) => source.frames(stream, folder, signal));
}

/** One for all captures: a capture host for each would cost more than what it captures. */
const sources = new Map<Engine, Source>();
let captures = 0;

export async function closeSources(): Promise<void> {
  const open = [...sources.values()];
  sources.clear();
  await Promise.all(open.map((source) => source.close()));
}

/** Frames that are captured into a folder of their own; each comes with its bytes, which it keeps. */
export async function* inFolder(frames: (folder: string) => AsyncIterable<CapturedFrame>): AsyncGenerator<CapturedFrame, void> {
  const folder = await mkdtemp(join(tmpdir(), 'lookout-capture-'));
  try {
    yield* takenAway(frames(folder));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Takes each picture away, as every consumer does: it comes as bytes. */
export async function* takenAway(frames: AsyncIterable<CapturedFrame>): AsyncGenerator<CapturedFrame, void> {
  for await (const frame of frames) {
    const { picture } = frame;
    if ('jpeg' in picture) {
      yield frame;
      continue;
    }
    const jpeg = await readFile(picture.file);
    expect({ size: jpeg.length, name: picture.file }).toEqual({ size: picture.bytes, name: expect.stringMatching(/\.tmp$/) as string });
    await rm(picture.file);
    yield { ...frame, picture: { jpeg } };
  }
}

/** The first `count` frames; the capture is left after them. */
export async function firstFrames(frames: AsyncIterable<CapturedFrame>, count: number): Promise<readonly CapturedFrame[]> {
  const taken: CapturedFrame[] = [];
  for await (const frame of frames) {
    taken.push(frame);
    if (taken.length === count) return taken;
  }
  throw new Error(`only ${taken.length} of ${count} frames came`);
}

/** How a capture fails, whatever it yields before. */
export async function failureOf(frames: AsyncIterable<CapturedFrame>): Promise<LookoutError> {
  try {
    const running = frames[Symbol.asyncIterator]();
    while (!(await running.next()).done);
  } catch (error) {
    if (error instanceof LookoutError) return error;
    throw error;
  }
  throw new Error('the capture ended without an error');
}

/** The JPEG of a frame that came as bytes. */
export function jpegOf({ picture }: CapturedFrame): Uint8Array {
  if ('jpeg' in picture) return picture.jpeg;
  throw new Error(`the picture is the file ${picture.file}`);
}
