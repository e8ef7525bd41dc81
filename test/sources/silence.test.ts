import { describe, expect, it } from 'vitest';
import { createSilence, ROUND_MS } from '../../src/sources/ffmpeg/silence.ts';

type Stream = Parameters<typeof createSilence>[0];
const START = 5000;
const ALL: Stream = { skip: 'none', chosen: false, intervalSeconds: 3 };
const KEYS: Stream = { skip: 'nokey', chosen: false, intervalSeconds: 3 };

interface Shown {
  /** When pictures come, in seconds after the start; their own times are the same unless `pts` says others. */
  readonly at: readonly number[];
  readonly pts?: readonly number[];
  readonly keySpacing?: number;
  /** Packets come all the time. */
  readonly lives?: boolean;
}

/** Seconds after the last picture, or the start, at which the stream counts as stalled. */
function stallsAfter(stream: Stream, { at, pts = at, keySpacing, lives = false }: Shown): number {
  const silence = createSilence(stream, START);
  if (lives) silence.packet(true);
  const due = [...at.keys()];
  for (let now = START + ROUND_MS; now < START + 1e6; now += ROUND_MS) {
    for (const index of due.splice(0, due.filter((one) => START + (at[one] ?? 0) * 1000 <= now).length)) {
      silence.decoded(pts[index] ?? 0, START + (at[index] ?? 0) * 1000);
      silence.picked(START + (at[index] ?? 0) * 1000);
    }
    const words = silence.tooLong(now, keySpacing ?? null);
    if (words !== null) return Number(/nothing for (\d+) s$/.exec(words)?.[1]);
  }
  throw new Error('it never stalled');
}

describe('a silent stream', () => {
  it.each<[seconds: number, what: string, Stream, Shown]>([
    [16, 'before its first picture', ALL, { at: [] }],
    [16, 'before its first picture, also with a long interval', { ...ALL, intervalSeconds: 60 }, { at: [] }],
    [91, 'before its first key frame where no other pictures are wanted', { skip: 'nokey', chosen: true, intervalSeconds: 30 }, { at: [] }],
    [61, 'after one key frame where no other pictures are wanted', { ...KEYS, chosen: true }, { at: [0] }],
    [61, 'whose key frames come every 20 s where no other pictures are wanted', { ...KEYS, chosen: true }, { at: [0, 20, 40] }],
    [61, 'whose packets come before its first key frame', ALL, { at: [], lives: true }],
    [16, 'after one picture', ALL, { at: [0] }],
    [91, 'after one key frame', { ...KEYS, intervalSeconds: 30 }, { at: [0] }],
    [6, 'that showed a picture a second', ALL, { at: [0, 1, 2] }],
    [25, 'that shows a picture every 8 s', { ...ALL, intervalSeconds: 1 }, { at: [0, 8, 16] }],
    [25, 'whose key frames come every 8 s', KEYS, { at: [0], keySpacing: 8 }],
    [6, 'whose key frames come every 8 s and whose other pictures are shown too', ALL, { at: [0, 0.5, 1], keySpacing: 8 }],
    [24, 'that sends what it has kept at once and then a picture every 8 s', ALL, { at: [0, 0.05, 0.1], pts: [0, 8, 16] }],
    [6, 'that showed a picture a second and set its clock ahead by an hour', ALL, { at: [0, 1, 2, 3], pts: [0, 1, 2, 3603] }],
    [13, 'that was interrupted for 8 s and showed a picture a second again', ALL, { at: [0, 8, 9] }],
  ])('has stalled after %i s: one %s', (seconds, _what, stream, shown) => {
    expect(stallsAfter(stream, shown)).toBe(seconds);
  });

  it('has not stalled because nobody looked for long', () => {
    const silence = createSilence(ALL, START);
    silence.decoded(0, START);
    silence.decoded(1, START + 1000);
    expect(silence.tooLong(START + 20_000, null)).toBeNull();
    expect(silence.tooLong(START + 21_000, null)).toBe('the pictures stopped: nothing for 20 s');
  });

  it.each<[seconds: number, what: string, Stream, everySeconds: number]>([
    [15, 'that shows pictures all the time', ALL, 0.04],
    [30, 'of which a picture is wanted every 10 s', { ...ALL, intervalSeconds: 10 }, 0.04],
    [32, 'that shows a picture every 8 s', ALL, 8],
  ])('has stalled %i s after a picture was due by the times of one %s', (seconds, _what, stream, everySeconds) => {
    const silence = createSilence(stream, START);
    silence.picked(START);
    for (let now = START, shown = START; ; now += ROUND_MS) {
      for (; shown <= now; shown += everySeconds * 1000) silence.decoded(0, shown);
      const words = silence.tooLong(now, null);
      if (words === null) continue;
      expect(words).toBe(`pictures come, but by the camera's own times none was due for ${seconds} s: its time stamps stand still`);
      return;
    }
  });
});
