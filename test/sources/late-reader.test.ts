/** The promise of truthful times while Lookout itself is late: what a capture host tells waits until it is read. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { silentLog } from '../../src/lib/log.ts';
import { create } from '../../src/sources/rtsp.ts';
import { readBinaryClock } from '../helpers/binary-clock.ts';
import { hasLibav } from './feeds/native/clips.ts';
import { BOUNDS, inFolder, jpegOf, NO_RULES, PICTURES, streamOf, VIDEO } from './streams.ts';

const SCENE = { kind: 'scene', width: 320, height: 180, fps: 12, clock: true, keyframe_seconds: 0.5 };
const SEEN = 4;
/** After a picture, nothing is read from before the next until long after it. */
const BUSY_FROM_MS = 600;
const BUSY_MS = 1500;
/** What is said may be so far from what is shown. */
const WRONG_MS = 400;

/** In a process of its own, which nobody keeps busy. */
const CAMERA = `
  import { startDemoCamera } from ${JSON.stringify(new URL('../../dist/demo/index.js', import.meta.url).href)};
  const camera = await startDemoCamera({ cameras: { plain: ${JSON.stringify(SCENE)} } }, new AbortController().signal);
  console.log(camera.url('plain'));
  process.stdin.resume().on('end', () => camera.close());`;

const beBusy = (): NodeJS.Timeout => setTimeout(() => { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_MS); }, BUSY_FROM_MS);

it.skipIf(!hasLibav)('it is said truly when a picture was made, and when a clip begins, though Lookout hears it late (missed where the binary of node-av is absent)', async ({ onTestFinished }) => {
  const folder = await mkdtemp(join(tmpdir(), 'lookout-late-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const camera = spawn(process.execPath, ['--input-type=module', '--eval', CAMERA], { stdio: ['pipe', 'pipe', 'inherit'] });
  const gone = once(camera, 'exit');
  onTestFinished(async () => {
    camera.stdin.end();
    await gone;
  });
  const [url] = await once(camera.stdout.setEncoding('utf8'), 'data') as [string];
  const source = create({ config: { ...PICTURES, ...BOUNDS, ...VIDEO, capture_engine: 'libav' }, log: silentLog, ...NO_RULES });
  onTestFinished(() => source.close());

  const stream = streamOf(url.trim(), { interval_seconds: 1, clips: true });
  const picture = join(folder, 'picture.jpg');
  const wrongBy = async (said: string): Promise<number> => Math.round(Date.parse(said) - await readBinaryClock(picture, Date.parse(said)));
  const wrong: number[] = [];
  for await (const frame of inFolder((own) => source.frames(stream, own, new AbortController().signal))) {
    await writeFile(picture, jpegOf(frame));
    wrong.push(await wrongBy(frame.captured_at));
    beBusy();
    if (wrong.length < SEEN) continue;
    // The host answers while nothing is read.
    const file = join(folder, 'clip.mp4');
    const { begins_at = '' } = await source.video?.clip(stream.camera_id, file, { before_seconds: 1, after_seconds: 1 }) ?? {};
    await promisify(execFile)('ffmpeg', ['-v', 'error', '-i', file, '-frames:v', '1', '-y', picture]);
    wrong.push(await wrongBy(begins_at));
    break;
  }
  expect(Math.max(...wrong.map(Math.abs)), wrong.join(' ')).toBeLessThan(WRONG_MS);
});
