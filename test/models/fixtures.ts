/** Temporary folders, models and frames for the tests of models and runtimes. */
import { setMaxListeners } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Model, Prepared, RunnerFrame } from '../../src/types.ts';

export const never = new AbortController().signal;
// Tests that run at once wait with it.
setMaxListeners(0, never);

/** A folder that is removed when the test has ended. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lookout-models-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

export async function writeTree(root: string, files: Readonly<Record<string, string>>): Promise<string> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}

export function modelIn(folder: string, change: Partial<Model> = {}): Model {
  return {
    name: 'sample',
    folder,
    version: '1',
    runtime: 'python',
    protocol: 'lines',
    entry: join(folder, 'detector.py'),
    args: [],
    requirements: [],
    section: null,
    classes: null,
    class_map: {},
    confidence: null,
    deadline_seconds: null,
    setup_deadline_seconds: null,
    state: 'none',
    look: 'frame',
    max_batch: 8,
    mix: null,
    instances: 1,
    probe: null,
    weights: [],
    weights_folders: [folder],
    options: {},
    env: {},
    memory_mb: null,
    cpus: null,
    adopted_venv: null,
    origin: 'user',
    notice: null,
    ...change,
  };
}

export function framesNamed(...files: readonly string[]): readonly RunnerFrame[] {
  return files.map((file, index) => ({ index, stream: 'CAM-001_0a1b2c3d', sequence: index, file, captured_at: '2025-03-01T12:00:00.000Z', width: 640, height: 480 }));
}

/** Lines told so far, and how many of them hold a text. */
export function listen(): { readonly lines: string[]; readonly tell: (line: string) => void; readonly count: (text: string) => number } {
  const lines: string[] = [];
  return { lines, tell: (line) => lines.push(line), count: (text) => lines.filter((line) => line.includes(text)).length };
}

/** The class of the one detection in the one frame. */
export async function see(prepared: Prepared): Promise<string | undefined> {
  const runner = await prepared.start(() => undefined, never);
  try {
    const { predictions: [first] } = await runner.predict(framesNamed('/a.jpg'), {}, never);
    return first && 'detections' in first ? first.detections[0]?.class : undefined;
  } finally {
    await runner.close();
  }
}
