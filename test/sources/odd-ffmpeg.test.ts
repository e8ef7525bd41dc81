import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { captureFrames } from '../../src/sources/ffmpeg/capture.ts';
import type { CapturedFrame } from '../../src/types.ts';
import { failureOf, inFolder, never, PICTURES, streamOf } from './streams.ts';

beforeAll(() => {
  vi.stubEnv('LOOKOUT_FFMPEG', join(import.meta.dirname, '../fixtures/sources/odd-ffmpeg.mjs'));
});
afterAll(() => {
  vi.unstubAllEnvs();
});

const odd = (way: string): AsyncIterable<CapturedFrame> => inFolder((folder) => (
  captureFrames({ stream: streamOf(`rtsp://127.0.0.1/${way}`, { capture_mode: 'all' }), settings: PICTURES, folder, realTime: false }, never)));

describe('a capture', () => {
  it('waits for the last words of an ffmpeg that closes its output before it ends', async () => {
    expect(await failureOf(odd('slow'))).toMatchObject({ code: 'stream_ended', message: 'the stream ended: the camera went away' });
  });
});
