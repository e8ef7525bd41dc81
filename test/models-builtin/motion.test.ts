/** models/motion as it really runs: under the node harness, on pictures that ffmpeg made. */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/lib/package.ts';
import { nodeHarness } from '../../src/runner/harness.ts';
import { startRunner } from '../../src/runner/start.ts';
import type { Box, Detection, Prediction, Runner, RunnerFrame } from '../../src/types.ts';
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
  const setup = { name: 'motion', folder: model, weights_folders: [], options: {} };
  const command = { ...nodeHarness(process.execPath, join(model, 'motion.mjs'), setup), cwd: model, env: {} };
  runner = await startRunner(command, { model: 'motion', start_deadline_ms: 20_000, onLog: () => undefined }, never);
});

afterAll(async () => {
  await runner.close();
  rmSync(work, { recursive: true });
});

async function look(frames: readonly RunnerFrame[], options = {}): Promise<readonly Prediction[]> {
  return (await runner.predict(frames, options, never)).predictions;
}

function detections(prediction: Prediction | undefined): readonly Detection[] {
  if (prediction === undefined || !('detections' in prediction)) throw new Error(`no detections in ${JSON.stringify(prediction)}`);
  return prediction.detections;
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
