/** Cameras that bring their pictures: the source's contract, and which of what they bring go on. */
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { create } from '../../src/sources/push.ts';
import { createCadence } from '../../src/sources/push/cadence.ts';
import type { PictureSettings } from '../../src/sources/pictures/jpeg.ts';
import type { CapturedFrame, Detection, PushSource } from '../../src/types.ts';
import { sourceContract } from '../contracts/source.ts';
import { jpegOf, never, PICTURES, streamOf } from './streams.ts';

const picture = (...options: readonly string[]): Buffer => execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=size=320x180:rate=1', '-frames:v', '1', '-f', 'image2pipe', ...options, '-']);
const JPEG = picture('-c:v', 'mjpeg');
const PNG = picture('-c:v', 'png');
/** The same, said to lie on its side. */
const TURNED = Buffer.concat([JPEG.subarray(0, 2), Buffer.from('ffe1002245786966000049492a00080000000100120103000100000006000000000000000000', 'hex').subarray(0, 36), JPEG.subarray(2)]);
const DOG: Detection = { class: 'dog', confidence: 0.9, box: [10, 20, 330, 100] };

sourceContract('cameras that push', () => {
  let timer: NodeJS.Timeout;
  return Promise.resolve({
    url: 'push:',
    begin({ push }) {
      timer = setInterval(() => { void give(push, { bytes: JPEG }); }, 200);
    },
    close: () => {
      clearInterval(timer);
      return Promise.resolve();
    },
  });
});

function give(push: PushSource | undefined, { bytes = JPEG, findings = [] as readonly Detection[] }): Promise<string> {
  const picture = { bytes, findings, captured_at: new Date().toISOString() };
  return push ? push.take('CAM-1', picture).catch((error: unknown) => (error as { code: string }).code) : Promise.resolve('no push');
}

interface Bringing {
  readonly push: PushSource;
  readonly frames: readonly CapturedFrame[];
  /** The stream does nothing more, as when the disk is full. */
  readonly pause: () => void;
  readonly resume: () => void;
  readonly ended: Promise<unknown>;
  readonly stop: () => void;
}

function bring(interval_seconds: number, settings: PictureSettings = PICTURES): Bringing {
  const source = create({ config: settings });
  const abort = new AbortController();
  const frames: CapturedFrame[] = [];
  let paused: Promise<void> | null = null;
  let resume = (): void => undefined;
  async function run(): Promise<void> {
    for await (const frame of source.frames(streamOf('push:', { interval_seconds }), tmpdir(), abort.signal)) {
      frames.push(frame);
      if (paused) await paused;
    }
  }
  if (!source.push) throw new Error('the source takes nothing');
  const ended = run();
  return {
    push: source.push, frames, ended,
    pause: () => { paused = new Promise((resolve) => { resume = resolve; }); },
    resume: () => {
      paused = null;
      resume();
    },
    stop: () => { abort.abort(); },
  };
}

describe('what a camera brings', () => {
  it('goes on byte for byte, each picture with an interval of 0', async () => {
    const { push, frames, stop, ended } = bring(0);
    for (let time = 0; time < 20; time += 1) expect(await give(push, { findings: time === 3 ? [DOG] : [] })).toBe('taken');
    stop();
    await ended;
    expect(frames).toHaveLength(20);
    expect(frames.every((frame) => Buffer.from(jpegOf(frame)).equals(JPEG) && frame.width === 320 && frame.height === 180)).toBe(true);
    // A box ends where its picture does.
    expect(frames.map(({ findings }) => findings)).toEqual(frames.map((_, index) => (index === 3 ? [{ ...DOG, box: [10, 20, 320, 100] }] : undefined)));
  });

  it('goes on by the interval, and so does each in which something else is seen', async () => {
    const { push, frames, stop, ended } = bring(30);
    const cat: Detection = { class: 'cat', confidence: 1 };
    const outcomes: unknown[] = [];
    for (const findings of [[], [], [DOG], [DOG], [cat, DOG], [cat], []]) outcomes.push(await give(push, { findings }));
    stop();
    await ended;
    expect(outcomes).toEqual(['taken', 'let_go', 'taken', 'let_go', 'taken', 'let_go', 'let_go']);
    expect(frames.map(({ findings = [], missed }) => [findings.length, missed])).toEqual([[0, 0], [1, 0], [2, 0]]);
  });

  it('is made a JPEG of a PNG, and turned and made smaller where that is needed, its boxes too', async () => {
    const { push, frames, stop, ended } = bring(0, { ...PICTURES, max_width: 160 });
    expect(await Promise.all([give(push, { bytes: PNG, findings: [DOG] })])).toEqual(['taken']);
    expect(await give(push, { bytes: TURNED, findings: [{ ...DOG, box: [0, 0, 180, 320] }] })).toBe('taken');
    stop();
    await ended;
    expect(frames.map(({ width, height, findings }) => [width, height, findings?.[0]?.box])).toEqual([[160, 90, [5, 10, 160, 50]], [160, 284, [0, 0, 160, expect.closeTo(284, 0) as number]]]);
    expect(frames.every((frame) => jpegOf(frame)[0] === 0xff)).toBe(true);
  });

  it.each([
    ['nothing', Buffer.alloc(0), 'bad_request'],
    ['text', Buffer.from('<html>'), 'not_a_picture'],
    ['a JPEG that breaks off', JPEG.subarray(0, JPEG.length - 400), 'bad_request'],
    ['the first bytes of a JPEG', JPEG.subarray(0, 20), 'bad_request'],
    ['a PNG that breaks off', PNG.subarray(0, 600), 'bad_request'],
  ])('is refused when it is %s, and what comes after it goes on', async (_what, bytes, code) => {
    const { push, stop, ended } = bring(0);
    expect(await give(push, { bytes })).toBe(code);
    expect(await give(push, {})).toBe('taken');
    stop();
    await ended;
  });

  it('waits for a stream that is slow, eight at the most; without findings the newest alone', async () => {
    const each = bring(0);
    each.pause();
    const answers = Array.from({ length: 12 }, () => give(each.push, {}));
    await systemClock.sleep(50, never);
    each.resume();
    const codes = await Promise.all(answers);
    expect(codes.filter((code) => code === 'taken').length).toBeGreaterThanOrEqual(8);
    expect(codes.filter((code) => code === 'too_many_at_once').length).toBeGreaterThanOrEqual(3);
    each.stop();
    await each.ended;
    expect(each.frames.reduce((sum, { missed }) => sum + missed, 0)).toBe(codes.filter((code) => code !== 'taken').length);

    const seldom = bring(0.1);
    seldom.pause();
    const first = give(seldom.push, {});
    await systemClock.sleep(120, never);
    const found = give(seldom.push, { findings: [DOG] });
    await systemClock.sleep(120, never);
    const old = give(seldom.push, {});
    await systemClock.sleep(120, never);
    const newest = give(seldom.push, {});
    seldom.resume();
    expect(await Promise.all([first, found, old, newest])).toEqual(['taken', 'taken', 'let_go', 'taken']);
    seldom.stop();
    await seldom.ended;
  });

  it('goes on when it is brought again after it was refused for want of a place', async () => {
    const { push, frames, pause, resume, stop, ended } = bring(60);
    pause();
    const found = Array.from({ length: 10 }, (_, index) => [{ ...DOG, class: `dog ${index}` }]);
    const outcomes: string[] = [];
    for (const findings of found) {
      void give(push, { findings }).then((outcome) => { outcomes.push(outcome); });
      await systemClock.sleep(5, never);
    }
    expect(outcomes).toEqual(['too_many_at_once']);
    resume();
    await systemClock.sleep(50, never);
    expect(await give(push, { findings: found.at(-1) ?? [] })).toBe('taken');
    stop();
    await ended;
    expect(frames.map(({ findings = [] }) => findings[0]?.class)).toEqual(found.map(([finding]) => finding?.class));
  });

  it('goes on in the place of one that could not be decoded, which had been due', async () => {
    const { push, frames, stop, ended } = bring(60);
    const spoilt = Buffer.from(PNG).fill(0, 60, PNG.length - 20);
    expect([await give(push, { bytes: spoilt, findings: [DOG] }), await give(push, { findings: [DOG] }), await give(push, {})]).toEqual(['bad_request', 'taken', 'let_go']);
    stop();
    await ended;
    expect(frames).toMatchObject([{ missed: 0, findings: [{ class: DOG.class }] }]);
  });

  it('is refused once its stream has ended while it waited', async () => {
    const { push, pause, resume, stop, ended } = bring(0);
    pause();
    const first = give(push, {});
    await systemClock.sleep(20, never);
    const second = give(push, {});
    stop();
    resume();
    await ended;
    expect(await second).toBe('too_many_at_once');
    expect(['taken', 'too_many_at_once']).toContain(await first);
  });
});

describe('one in each interval', () => {
  it('is the next, with what it shows, where one has no place after all', () => {
    const cadence = createCadence(60_000);
    const [due, other] = [cadence.takes(['dog'], 0), cadence.takes(['dog', 'cat'], 1000)];
    expect(cadence.takes(['dog', 'cat'], 2000)).toBeNull();
    other?.();
    expect(cadence.takes(['dog'], 3000)).toBeNull();
    expect(cadence.takes(['cat'], 3000)).not.toBeNull();
    due?.();
    expect(cadence.takes([], 4000)).not.toBeNull();
    expect(cadence.takes([], 5000)).toBeNull();
  });

  it.each([['on time', 0], ['a little early and late', 0.2]])('is taken of a camera that brings one %s', (_how, jitter) => {
    const cadence = createCadence(1000);
    const times = Array.from({ length: 100 }, (_, index) => 1000 * (index + jitter * Math.sin(index * 7)));
    expect(times.filter((time) => cadence.takes([], time)).length).toBe(100);
  });

  it('and one for each of fifty classes are taken of a camera that names ever new ones', () => {
    const cadence = createCadence(60_000);
    const taken = (fromMs: number, each: number): number => Array.from({ length: 200 }, (_, index) => {
      const classes = Array.from({ length: each }, (_none, place) => `${index}-${place}`);
      return cadence.takes([...classes, ...classes], fromMs + index);
    }).filter((one) => one !== null).length;
    expect([taken(0, 1), taken(60_000, 1), taken(120_000, 40), taken(180_000, 100)]).toEqual([50, 50, 2, 1]);
    expect(cadence.takes(['0-0'], 190_000)).toBeNull();
  });

  it('is taken of a camera that brings sixty', () => {
    const cadence = createCadence(1000);
    expect(Array.from({ length: 6000 }, (_, index) => (index * 1000) / 60).filter((time) => cadence.takes([], time)).length).toBeLessThanOrEqual(101);
  });
});
