import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { capture, failureOf } from './streams.ts';

beforeAll(() => {
  vi.stubEnv('LOOKOUT_FFMPEG', join(import.meta.dirname, '../fixtures/sources/odd-ffmpeg.mjs'));
});
afterAll(() => {
  vi.unstubAllEnvs();
});

const odd = (way: string): ReturnType<typeof capture> => capture(`rtsp://127.0.0.1/${way}`, { capture_mode: 'all' });

describe('a capture', () => {
  it('waits for the last words of an ffmpeg that closes its output before it ends', async () => {
    expect(await failureOf(odd('slow'))).toMatchObject({ code: 'stream_ended', message: 'the stream ended: the camera went away' });
  });
});
