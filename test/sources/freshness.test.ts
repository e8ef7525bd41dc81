/** The promise of truthful times: the clock that a camera draws into its pictures, against what is said of them. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DemoCamera, startDemoCamera } from '../../src/demo/index.ts';
import { readBinaryClocks } from '../helpers/binary-clock.ts';
import { canUse, captureRtsp, closeSources, type Engine, ENGINES, inWords, jpegOf, never } from './streams.ts';

const WATCHED_MS = 35_000;
const INTERVAL_MS = 3000;
/** How far what is said of a picture may be from what it shows. */
const WRONG_MS = { libav: 300, ffmpeg: 500 } as const;
/** How late a picture may be stored, beside the wait for a key frame: here beside other tests. */
const MARGIN_MS = 2000;

/** `steady`: taken once it was known which pictures to decode, so on one and the same schedule. */
interface Seen {
  readonly mode: string;
  readonly drawn: number;
  readonly captured: number;
  readonly stored: number;
}

const camera = { kind: 'scene', width: 320, height: 180, fps: 12, clock: true } as const;
/** By engine: which pictures are decoded, and how far apart these are. */
const CAMERAS = {
  plain: { scene: { ...camera, keyframe_seconds: 1 }, ffmpeg: ['keyframes', 1000], libav: ['keyframes', 1000] },
  bframes: { scene: { ...camera, keyframe_seconds: 2, b_frames: 3 }, ffmpeg: ['all but B-frames', 84], libav: ['keyframes', 2000] },
  rare: { scene: { ...camera, keyframe_seconds: 5 }, ffmpeg: ['all', 84], libav: ['all', 84] },
} as const;

let demo: DemoCamera;
beforeAll(async () => {
  demo = await startDemoCamera({ cameras: Object.fromEntries(Object.entries(CAMERAS).map(([path, { scene }]) => [path, scene])) }, never);
});
afterAll(async () => {
  await Promise.all([closeSources(), demo.close()]);
});

for (const engine of ENGINES) it.skipIf(!canUse(engine)).concurrent(`a capture by ${inWords(engine)} says truly when a picture was made, and stores it soon after it was due`, async () => {
  const time = AbortSignal.timeout(WATCHED_MS);
  await Promise.all(Object.entries(CAMERAS).map(async ([path, { [engine]: [mode, spacingMs] }]) => {
    const seen = await watch(engine, demo.url(path), time);
    expect(seen.length, path).toBeGreaterThanOrEqual(WATCHED_MS / INTERVAL_MS - 4);
    const early = seen.map(({ drawn, captured }) => drawn - captured).sort((a, b) => a - b);
    expect(Math.min(...early), `${path}: ${JSON.stringify(seen)}`).toBeGreaterThanOrEqual(-WRONG_MS[engine]);
    // Without a processor for a moment, this camera draws the time of a picture after it has dated it: single ones may be off by that.
    expect(early[Math.floor(early.length / 2)], `${path}: ${JSON.stringify(seen)}`).toBeLessThanOrEqual(WRONG_MS[engine]);

    const steady = seen.filter((one) => one.mode === mode).slice(1);
    expect(steady.length, path).toBeGreaterThanOrEqual(5);
    for (const { drawn, stored } of steady) expect(stored - drawn, `${path}: ${JSON.stringify(seen)}`).toBeLessThanOrEqual(MARGIN_MS);
    // Ticks come at equal distances, so there is a schedule that all of them were late for by little.
    const lateness = spread(steady.map(({ stored }) => stored));
    expect(lateness, `${path}: ${JSON.stringify(seen)}`).toBeLessThanOrEqual(spacingMs + MARGIN_MS);
  }));
});

async function watch(engine: Engine, url: string, signal: AbortSignal): Promise<readonly Seen[]> {
  const seen: (Omit<Seen, 'drawn'> & { readonly jpeg: Uint8Array })[] = [];
  for await (const frame of captureRtsp(url, { interval_seconds: INTERVAL_MS / 1000 }, { engine, signal })) {
    seen.push({ mode: frame.mode, captured: Date.parse(frame.captured_at), stored: Date.now(), jpeg: jpegOf(frame) });
  }
  const drawn = await readBinaryClocks(seen.map(({ jpeg, captured }) => ({ jpeg, expectedMs: captured })));
  return seen.map(({ mode, captured, stored }, index) => ({ mode, drawn: drawn[index] ?? NaN, captured, stored }));
}

/** The shortest part of the interval that holds what the times are past some schedule of it. */
function spread(times: readonly number[]): number {
  const phases = times.map((time) => time % INTERVAL_MS).sort((a, b) => a - b);
  const gaps = phases.map((phase, index) => (phases[index + 1] ?? (phases[0] ?? 0) + INTERVAL_MS) - phase);
  return INTERVAL_MS - Math.max(...gaps);
}
