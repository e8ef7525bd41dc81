/** models/animals as it starts: a copy of its folder, under the node harness, with stand-ins for its packages. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/lib/package.ts';
import { nodeHarness } from '../../src/runner/harness.ts';
import { startRunner } from '../../src/runner/start.ts';
import type { Runner } from '../../src/types.ts';

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

  it.for([['yolov8n-seg.onnx', [1, 116, 21]], ['yolox_mine.onnx', [1, 21, 8]]] as const)('is not ready with %s, whose output is another', async ([file, dims]) => {
    await expect(start(file, onnx(dims))).rejects.toThrow(`${file}: its output [${dims.join()}] is not that of its family with COCO's 80 classes`);
  });
});
