/** A camera before which somebody comes, stays and goes again and again, and a model that knows it from the picture. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startDemoCamera, type DemoCamera } from '../../src/demo/index.ts';

/** With the model `visitor`. */
export const MODELS = fileURLToPath(new URL('../fixtures/events', import.meta.url));

export interface Visits {
  /** Seconds of the clip, which is repeated. */
  readonly seconds: number;
  readonly comes: number;
  readonly goes: number;
}

/** `/gate` shows them. */
export async function startVisits(folder: string, { seconds, comes, goes }: Visits): Promise<DemoCamera> {
  const file = join(folder, 'visits.mp4');
  const graph = `color=0x808080:s=320x180:r=10[wall];testsrc2=s=160x90:r=10[visitor];[wall][visitor]overlay=80:45:enable='between(t,${comes},${goes - 0.05})'`;
  await promisify(execFile)('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', graph, '-t', String(seconds), '-c:v', 'libx264', '-preset', 'veryfast', '-bf', '0', '-g', '2', '-keyint_min', '2', '-sc_threshold', '0', file]);
  return startDemoCamera({ cameras: { gate: { kind: 'clip', file } } }, new AbortController().signal);
}
