/** What is copied of a camera whose clock is set, or whose pictures become other ones. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { machineMs } from '../../../../src/lib/clock.ts';
import { createPtsClock } from '../../../../src/sources/ffmpeg/pts-clock.ts';
import type { ClipMade } from '../../../../src/sources/feeds/messages.ts';
import type { VideoPart } from '../../../../src/sources/feeds/video-pipe.ts';
import { createRings, type Ring } from '../../../../src/sources/feeds/host/tape/ring.ts';
import { createTape, type Tape } from '../../../../src/sources/feeds/host/tape/tape.ts';
import { until } from '../../../helpers/app.ts';
import { hasLibav } from '../native/clips.ts';

/** Of a picture of 16 x 16. */
const SETS = Buffer.from('AAAAAWdkAAqscgREewEQAAADABAAAAMDIPEiWEYAAAABaOhDhEsiwA==', 'base64');
const KEY = Buffer.from('AAAAAWWIgQAf/4etqv9XtRk5POaV2GdOapJwJ/eqmRTRc5GVYFn3OYwd1C+qsQOXVb8QdoLjzZcz7w==', 'base64');
const SPACING = 0.2;

interface Camera {
  readonly tape: Tape;
  readonly ring: Ring;
  /** It goes on for so long. */
  readonly send: (seconds: number) => Promise<void>;
  /** Its clock is set by so much. */
  readonly set: (seconds: number) => void;
  /** Nothing comes for so long. */
  readonly holdUp: (seconds: number) => void;
  /** Its pictures become other ones. */
  readonly change: () => void;
}

function begin(pre_roll_seconds: number | null): Camera {
  const rings = createRings();
  const ring = rings.create();
  const tape = createTape({ pre_roll_seconds, rings: { ...rings, create: () => ring }, takeMark: () => ({ mark: () => undefined, done: () => undefined }) });
  const clock = createPtsClock();
  let sets = SETS;
  // All in no time: the camera's was before.
  let nowMs = 0;
  let pts = 0;
  tape.begin({ codec: 'h264', parameterSets: () => sets, era: () => clock.era(), ageMs: (ptsSeconds) => clock.ageMs(ptsSeconds, nowMs) });
  return {
    tape, ring,
    async send(seconds) {
      for (let index = 0; index < seconds / SPACING; index += 1) {
        clock.arrived(pts, nowMs);
        tape.unit({ parts: [KEY], bytes: KEY.length, ptsSeconds: pts, key: true, reference: true, damaged: false });
        pts += SPACING;
        nowMs += SPACING * 1000;
        await turn();
      }
    },
    set(seconds) {
      pts += seconds;
    },
    holdUp(seconds) {
      nowMs += seconds * 1000;
    },
    change() {
      sets = Buffer.concat([SETS, SETS.subarray(-9)]);
    },
  };
}

const agoSeconds = ({ begun_machine_ms }: Pick<ClipMade, 'begun_machine_ms'>): number => (machineMs() - begun_machine_ms) / 1000;

let folder: string;
beforeAll(async () => { folder = await mkdtemp(join(tmpdir(), 'lookout-tape-')); });
afterAll(() => rm(folder, { recursive: true }));

describe.skipIf(!hasLibav)('what is copied', () => {
  it.each([3600, 40, 20, 2, -10, -3600])('ends where the clock is set by %d s, says so, and when it began', async (seconds) => {
    const { tape, send, set } = begin(10);
    await send(10);
    const clip = tape.clip({ file: join(folder, `clip${seconds}.mp4`), before_seconds: 5, after_seconds: 30 });
    const recording = tape.record({ file: join(folder, `recording${seconds}.mp4`), before_seconds: 5, longest_seconds: 300 });
    await send(5);
    set(seconds);
    await send(1);
    const made = await clip;
    expect(made).toMatchObject({ reason: 'the camera\'s clock was set' });
    expect(made.seconds).toBeCloseTo(10, 0);
    expect(agoSeconds(made)).toBeCloseTo(10, 0);
    expect(await recording.ended).toBe('the camera\'s clock was set');
    expect(agoSeconds(await recording.begun)).toBeGreaterThan(4.5);
    await tape.end();
  });

  it('is as long as was wanted where the clock is not set', async () => {
    const { tape, send, change } = begin(10);
    await send(10);
    const clip = tape.clip({ file: join(folder, 'clip.mp4'), before_seconds: 5, after_seconds: 2 });
    const recording = tape.record({ file: join(folder, 'recording.mp4'), before_seconds: 5, longest_seconds: 6.5 });
    await send(2.2);
    change();
    await send(2);
    expect(await clip).toMatchObject({ reason: null });
    expect((await clip).seconds).toBeCloseTo(7, 0);
    expect(await recording.ended).toBeNull();
    await tape.end();
  });

  it('goes on where what is sent is held up, and a part of it is never sent', async () => {
    const { tape, send, holdUp, set } = begin(10);
    await send(10);
    const clip = tape.clip({ file: join(folder, 'held-up.mp4'), before_seconds: 5, after_seconds: 15 });
    holdUp(8);
    await send(1);
    set(8);
    await send(10);
    const { seconds, reason } = await clip;
    expect(reason).toBeNull();
    expect(seconds).toBeCloseTo(20, 0);
    await tape.end();
  });

  it('for those who watch is held no longer when that has ended by itself', async () => {
    const { tape, ring, send, change } = begin(null);
    const parts: VideoPart[] = [];
    tape.watch((part) => { parts.push(part); });
    await send(5);
    change();
    await send(1);
    await until(() => parts.at(-1)?.is === 'end', 5000, () => `${parts.length} parts, and no end`);
    expect(parts.at(-1)).toMatchObject({ is: 'end', why: { message: 'the camera\'s pictures became other ones' } });
    expect(ring.bytes).toBe(0);
    await tape.end();
  });
});
