import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { capture, failureOf, firstFrames, jpegOf } from './streams.ts';

beforeAll(() => {
  vi.stubEnv('LOOKOUT_FFMPEG', join(import.meta.dirname, '../fixtures/sources/odd-ffmpeg.mjs'));
});
afterAll(() => {
  vi.unstubAllEnvs();
});

const odd = (way: string): ReturnType<typeof capture> => capture(`rtsp://127.0.0.1/${way}`, { capture_mode: 'all' });

describe('a capture', () => {
  it('gives no picture the time and size of another when ffmpeg does not announce it', async () => {
    const frames = await firstFrames(odd('silent'), 2);
    expect(frames.map((frame) => [Buffer.from(jpegOf(frame)).toString(), frame.width])).toEqual([['picture 0', 100], ['picture 2', 102]]);
  });

  it('waits for the last words of an ffmpeg that closes its output before it ends', async () => {
    expect(await failureOf(odd('slow'))).toMatchObject({ code: 'stream_ended', message: 'the stream ended: the camera went away' });
  });
});
