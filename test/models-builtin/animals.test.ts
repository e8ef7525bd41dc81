/** models/animals as it starts: a copy of its folder, under the node harness, with stand-ins for its packages. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/lib/package.ts';
import { readManifest } from '../../src/models/manifest.ts';
import { findWeights } from '../../src/models/weights.ts';
import { nodeHarness } from '../../src/runner/harness.ts';
import { startRunner } from '../../src/runner/start.ts';
import type { Runner } from '../../src/types.ts';
import { modelIn, writeTree } from '../models/fixtures.ts';

/** onnxruntime-node with sessions whose output has these dimensions, or one that does not load. */
const onnx = (dims: readonly number[]): string => `
exports.Tensor = class {};
exports.InferenceSession = { create: async () => ({
  inputNames: ['in'], outputNames: ['out'], inputMetadata: [{ shape: [1, 3, 32, 32] }],
  run: async () => ({ out: { dims: ${JSON.stringify(dims)}, data: new Float32Array(${dims.reduce((a, b) => a * b)}) } }),
}) };`;
const NOT_HERE = 'throw new Error("libm.so.6: version `GLIBC_2.38\' not found");';
const PACKAGES = {
  sharp: 'module.exports = { cache() {} };',
  '@tensorflow/tfjs-core': 'exports.setBackend = async () => true;',
  '@tensorflow/tfjs-backend-wasm': 'exports.setWasmPaths = () => {};',
  '@tensorflow/tfjs-converter': 'exports.loadGraphModel = async () => ({});',
};

let work: string;
let runner: Runner | null = null;
let logs: string[];

beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), 'lookout-animals-'));
  logs = [];
});

afterEach(async () => {
  await runner?.close();
  runner = null;
  rmSync(work, { recursive: true });
});

async function start(weights: string, onnxruntime: string): Promise<Runner> {
  for (const [name, text] of Object.entries({ ...PACKAGES, 'onnxruntime-node': onnxruntime })) {
    const file = join(work, 'environment/node_modules', name, 'index.js');
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  writeFileSync(join(work, weights), '');
  const model = join(work, 'models/animals');
  cpSync(join(packageRoot, 'models/animals'), model, { recursive: true });
  const setup = { name: 'animals', folder: model, weights_folders: [work], work_folder: work, options: {} };
  const env = { LOOKOUT_ENVIRONMENT: join(work, 'environment'), LOOKOUT_MODEL_FOLDER: model };
  const command = { ...nodeHarness(process.execPath, join(model, 'animals.mjs'), setup), cwd: work, env };
  runner = await startRunner(command, { model: 'animals', start_deadline_ms: 20_000, onLog: (line) => logs.push(line) }, new AbortController().signal);
  return runner;
}

describe('animals', () => {
  it('takes a YOLO file that finds COCO\'s classes', async () => {
    expect((await start('yolox_nano.onnx', onnx([1, 21, 85]))).ready.detector).toBe('yolox_nano.onnx');
  });

  it('looks with the embedded detector, and says why, where onnxruntime-node does not load', async () => {
    expect((await start('yolox_nano.onnx', NOT_HERE)).ready.detector).toBe('centernet-mb3 (embedded)');
    expect(logs).toEqual([expect.stringMatching(/^yolox_nano\.onnx cannot be used, the embedded detector looks instead: .*GLIBC_2\.38' not found$/)]);
  });

  it('says of a YOLO file of another family or kind that it is not used', async () => {
    writeFileSync(join(work, 'yolov8n.pt'), '');
    expect((await start('yolov5s.onnx', onnx([1, 21, 85]))).ready.detector).toBe('centernet-mb3 (embedded)');
    expect(logs).toEqual([expect.stringMatching(/^yolov8n\.pt is not used: .*models\/yolo_v8/), expect.stringMatching(/^yolov5s\.onnx is not used: .* yolox_\*\.onnx, /)]);
  });

  it('has in its manifest the names that it takes, and no others, so that it fetches its own where it would use none', async () => {
    const { findYolo } = (await import(new URL('../../models/animals/yolo.mjs', import.meta.url).href)) as { readonly findYolo: (folders: readonly string[]) => Promise<{ readonly file: string } | null> };
    const { weights } = await readManifest(join(packageRoot, 'models/animals/model.yaml'), 'animals');
    const named = (weights ?? []).map(({ file }) => ({ file, url: null, sha256: null, required: false }));
    for (const name of ['yolox_nano.onnx', 'yolox_mine.onnx', 'yolov8n.onnx', 'yolo11s.onnx', 'yolov5s.onnx', 'yolo12n.onnx', 'yolo.onnx', 'yolox-nano.onnx']) {
      const folder = join(work, name);
      await writeTree(folder, { [name]: '' });
      const isTaken = (await findYolo([folder])) !== null;
      expect([name, (await findWeights(modelIn(folder, { weights: named }))).length > 0]).toEqual([name, isTaken]);
    }
  });

  it.for([['yolov8n-seg.onnx', [1, 116, 21]], ['yolox_mine.onnx', [1, 21, 8]]] as const)('is not ready with %s, whose output is another', async ([file, dims]) => {
    await expect(start(file, onnx(dims))).rejects.toThrow(`${file}: its output [${dims.join()}] is not that of its family with COCO's 80 classes`);
  });
});
