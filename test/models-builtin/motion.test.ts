/** models/motion as it really runs: under the node harness, on pictures that ffmpeg made. */
import { mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/lib/package.ts';
import { nodeHarness } from '../../src/runner/harness.ts';
import { startRunner } from '../../src/runner/start.ts';
import type { Box, Detection, Prediction, Runner, RunnerFrame } from '../../src/types.ts';
import { alive, descendants, memoryMb, type Process } from '../helpers/process-tree.ts';
import { framesOf, paint } from './pictures.ts';

const model = join(packageRoot, 'models/motion');
const never = new AbortController().signal;
const work = mkdtempSync(join(tmpdir(), 'lookout-motion-'));
let runner: Runner;
let pictures: { readonly still: string; readonly again: string; readonly left: string; readonly right: string; readonly bright: string; readonly small: string; readonly png: string };

beforeAll(async () => {
  pictures = {
    still: paint(work, 'still'),
    again: paint(work, 'again-with-other-noise'),
    left: paint(work, 'left', { squareAt: 200 }),
    right: paint(work, 'right', { squareAt: 900 }),
    bright: paint(work, 'bright', { brightness: 0.12 }),
    small: paint(work, 'small', { squareAt: 200, size: '640x360' }),
    png: paint(work, 'png', { squareAt: 900, format: 'png' }),
  };
  runner = await start();
});

afterAll(async () => {
  await runner.close();
  rmSync(work, { recursive: true });
});

function start(): Promise<Runner> {
  const setup = { name: 'motion', folder: model, weights_folders: [], work_folder: work, options: {} };
  const command = { ...nodeHarness(process.execPath, join(model, 'motion.mjs'), setup), cwd: model, env: {} };
  return startRunner(command, { model: 'motion', start_deadline_ms: 20_000, onLog: () => undefined }, never);
}

async function look(frames: readonly RunnerFrame[], options = {}): Promise<readonly Prediction[]> {
  return (await runner.predict(frames, options, never)).predictions;
}

function detections(prediction: Prediction | undefined): readonly Detection[] {
  if (prediction === undefined || !('detections' in prediction)) throw new Error(`no detections in ${JSON.stringify(prediction)}`);
  return prediction.detections;
}

/** What came of each frame, in order: where the first box begins, 'nothing', or the error's code. */
async function looks(frames: readonly RunnerFrame[]): Promise<readonly (number | string)[]> {
  return (await look(frames)).map((prediction) => ('error' in prediction ? prediction.error.code : boxes(prediction)[0]?.[0] ?? 'nothing'));
}

/** The model's process, which node runs, and its warm decoder. */
function processesOf(before: readonly Process[]): { readonly harness: Process; readonly decoder: Process } {
  const known = new Set(before.map(({ pid }) => pid));
  const harness = alive(descendants(process.pid)).find(({ pid }) => !known.has(pid) && cmdline(pid).includes('motion.mjs'));
  const decoder = harness && alive(descendants(harness.pid)).find(({ pid }) => cmdline(pid).includes('smjpeg'));
  if (harness === undefined || decoder === undefined) throw new Error('the model or its decoder does not run');
  return { harness, decoder };
}

const cmdline = (pid: number): string => readFileSync(`/proc/${pid}/cmdline`, 'utf8');

async function untilGone(processes: readonly Process[]): Promise<void> {
  const deadline = Date.now() + 5000;
  while (alive(processes).length > 0 && Date.now() < deadline) await sleep(20);
  expect(alive(processes)).toEqual([]);
}

const boxes = (prediction: Prediction | undefined): readonly Box[] => detections(prediction).flatMap(({ box }) => (box === undefined ? [] : [box])).toSorted(([a], [b]) => a - b);

/** At most a cell (8 pixels) of the small picture away on each side. */
function expectNear(found: readonly Box[], wanted: readonly Box[]): void {
  expect(found).toHaveLength(wanted.length);
  for (const [index, box] of wanted.entries()) {
    for (const [side, value] of box.entries()) expect(Math.abs((found[index]?.[side] ?? NaN) - value)).toBeLessThanOrEqual(8);
  }
}

describe('motion', () => {
  it('puts a box around what came, and around where it was and where it is when it moved', async () => {
    const [first, came, moved, stayed] = await look(framesOf([pictures.still, pictures.left, pictures.right, pictures.right]));
    expect(detections(first)).toEqual([]);
    expectNear(boxes(came), [[200, 300, 300, 400]]);
    expectNear(boxes(moved), [[200, 300, 300, 400], [900, 300, 1000, 400]]);
    expect(detections(stayed)).toEqual([]);
    const [{ class: name, confidence } = { class: '', confidence: 0 }] = detections(came);
    expect(name).toBe('motion');
    expect(confidence).toBeGreaterThan(0.75);
    expect(confidence).toBeLessThan(1);
  });

  it('sees nothing in noise and in a change of light', async () => {
    const found = await look(framesOf([pictures.still, pictures.again, pictures.bright, pictures.still], { stream: 'light' }));
    expect(found.map(detections)).toEqual([[], [], [], []]);
  });

  it('compares the first picture with the last of the same stream\'s previous batch', async () => {
    await look(framesOf([pictures.left, pictures.still], { stream: 'A' }));
    await look(framesOf([pictures.right], { stream: 'B' }));
    const [next] = await look(framesOf([pictures.left], { stream: 'A', from: 2 }));
    expectNear(boxes(next), [[200, 300, 300, 400]]);
  });

  it('does not compare a batch that is tried again with its own end', async () => {
    const batch = framesOf([pictures.left, pictures.right], { stream: 'again' });
    const once = await look(batch);
    expect(await look(batch)).toEqual(once);
    expect(detections(once[0])).toEqual([]);
  });

  it('takes pictures of several sizes and kinds, each with boxes in its own pixels', async () => {
    const files = framesOf([pictures.still, pictures.png, pictures.still], { stream: 'kinds' });
    const [, other] = await look(files);
    expectNear(boxes(other), [[900, 300, 1000, 400]]);
    const [small] = await look(framesOf([pictures.small], { stream: 'kinds', from: 9, width: 640, height: 360 }));
    expectNear(boxes(small), [[100, 150, 150, 200]]);
  });

  it('says which pictures cannot be read, and compares the others as if they had not been there', async () => {
    const torn = paint(work, 'torn');
    truncateSync(torn, 20_000);
    const junk = join(work, 'junk.jpg');
    writeFileSync(junk, 'not a picture');
    const found = await look(framesOf([pictures.still, torn, join(work, 'gone.jpg'), junk, pictures.left], { stream: 'damage' }));
    expect(found.map((prediction) => ('error' in prediction ? prediction.error.code : 'fine'))).toEqual(['fine', 'bad_frame', 'bad_frame', 'bad_frame', 'fine']);
    expect(JSON.stringify(found[2])).toMatch(/gone.jpg cannot be read: .*No such file/);
    expectNear(boxes(found[4]), [[200, 300, 300, 400]]);
  });

  it('reports nothing smaller than min_area and at most as many boxes as asked for', async () => {
    const files = [pictures.left, pictures.right];
    const [, tooSmall] = await look(framesOf(files, { stream: 'options' }), { min_area: 0.02 });
    expect(detections(tooSmall)).toEqual([]);
    const [, one] = await look(framesOf(files, { stream: 'options' }), { most: 1 });
    expect(detections(one)).toHaveLength(1);
  });
});

describe('asked in small calls', () => {
  it('answers the same one by one as in one call', async () => {
    const files = [pictures.still, pictures.left, pictures.right, pictures.again];
    const together = await look(framesOf(files, { stream: 'together' }));
    for (const [index, file] of files.entries()) {
      const [alone] = await look(framesOf([file], { stream: 'one by one', from: index }));
      expect({ ...alone, index }).toEqual(together[index]);
    }
  });

  it('keeps several streams and sizes of one call apart, with damaged ones between them', async () => {
    const torn = paint(work, 'torn-between');
    truncateSync(torn, 20_000);
    const junk = join(work, 'junk-between.jpg');
    writeFileSync(junk, Buffer.concat([readFileSync(pictures.left).subarray(0, 400), Buffer.alloc(3000, 7)]));
    // Whole in its form, but its scan is cut: only the decoder notices.
    const cut = join(work, 'cut-between.jpg');
    writeFileSync(cut, Buffer.concat([readFileSync(pictures.left).subarray(0, 20_000), Buffer.of(0xff, 0xd9)]));
    const frame = (stream: string, file: string, from: number, width = 1280): RunnerFrame =>
      ({ ...framesOf([file], { stream, from, width, height: (width * 9) / 16 })[0] as RunnerFrame });
    const call = (...frames: readonly RunnerFrame[]): readonly RunnerFrame[] => frames.map((one, index) => ({ ...one, index }));
    expect(await looks(call(frame('X', pictures.still, 0), frame('Y', pictures.small, 0, 640), frame('Z', pictures.png, 0)))).toEqual(['nothing', 'nothing', 'nothing']);
    const found = await looks(call(
      frame('X', torn, 1), frame('X', pictures.left, 2), frame('Y', junk, 1, 640), frame('Z', cut, 1),
      frame('Y', pictures.small, 2, 640), frame('X', join(work, 'gone.jpg'), 3), frame('Z', pictures.right, 2), frame('X', pictures.right, 4),
    ));
    expect(found).toEqual(['bad_frame', 200, 'bad_frame', 'bad_frame', 'nothing', 'bad_frame', 'nothing', 200]);
  });

  it('does without a decoder that is killed, and starts another', async () => {
    const before = alive(descendants(process.pid));
    const own = await start();
    try {
      const { harness, decoder } = processesOf(before);
      const ask = async (files: readonly string[], from: number): Promise<readonly Prediction[]> => (await own.predict(framesOf(files, { from }), {}, never)).predictions;
      await ask([pictures.still], 0);
      const ten = Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? pictures.left : pictures.still));
      const answer = ask(ten, 1);
      await sleep(30);
      process.kill(decoder.pid, 'SIGKILL');
      for (const prediction of await answer) expectNear(boxes(prediction), [[200, 300, 300, 400]]);
      await ask([pictures.right], 11);
      expect(processesOf(before).decoder.pid).not.toBe(decoder.pid);
      expect(processesOf(before).harness.pid).toBe(harness.pid);
      process.kill(processesOf(before).decoder.pid, 'SIGSTOP');
      expectNear(boxes((await ask([pictures.still], 12))[0]), [[900, 300, 1000, 400]]);
    } finally {
      await own.close();
    }
  });

  it('grows neither in processes nor in memory', async () => {
    const { harness, decoder } = processesOf([]);
    const kinds = [pictures.small, pictures.still];
    const many = async (calls: number, from: number): Promise<void> => {
      for (let call = 0; call < calls; call += 1) await look(framesOf([kinds[call % 2] ?? ''], { stream: `many ${call % 7}`, from: from + call }));
    };
    const weight = (): number => memoryMb(decoder.pid, 'RssAnon');
    await many(60, 0);
    const [processes, megabytes, descriptors] = [descendants(harness.pid).length, weight(), readdirSync(`/proc/${harness.pid}/fd`).length];
    await many(300, 60);
    expect(processesOf([]).decoder).toEqual(decoder);
    expect(descendants(harness.pid)).toHaveLength(processes);
    expect(readdirSync(`/proc/${harness.pid}/fd`)).toHaveLength(descriptors);
    expect(weight()).toBeLessThan(megabytes + 4);
  });
});

describe('its decoder', () => {
  it('has none of the harness\'s messages and calls, and ends with the model', async () => {
    const before = alive(descendants(process.pid));
    const own = await start();
    const { harness, decoder } = processesOf(before);
    const files = (pid: number): readonly string[] => readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
    const taken = [3, 4].map((fd) => readlinkSync(`/proc/${harness.pid}/fd/${fd}`));
    expect(files(decoder.pid).filter((file) => taken.includes(file))).toEqual([]);
    await own.close();
    await untilGone([harness, decoder]);
  });

  it('ends when the model is killed', async () => {
    const before = alive(descendants(process.pid));
    const own = await start();
    const { harness, decoder } = processesOf(before);
    process.kill(decoder.pid, 'SIGSTOP');
    process.kill(harness.pid, 'SIGKILL');
    await untilGone([harness, decoder]);
    await own.close();
  });
});
