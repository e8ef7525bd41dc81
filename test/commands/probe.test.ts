/** `lookout probe`: what it prints, and how it ends. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { imageSize } from 'image-size';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startDemoCamera, type DemoCamera } from '../../src/demo/index.ts';
import { command, type Ended } from '../helpers/command.ts';
import { hasLibav } from '../sources/feeds/native/clips.ts';
import { testFolder } from '../store/folder.ts';

const folder = testFolder();
let camera: DemoCamera;
beforeAll(async () => { camera = await startDemoCamera({ cameras: { street: { kind: 'scene', width: 320, height: 180, fps: 20, keyframe_seconds: 1 } } }, new AbortController().signal); });
afterAll(() => camera.close());

const probe = (...words: readonly string[]): Promise<Ended> => command(['probe', ...words], { folder: folder.path });

it.skipIf(!hasLibav)('tells in words what a camera sends, and keeps a picture (missed where the binary of node-av is absent)', async () => {
  const { code, output } = await probe(camera.url('street'), '--picture', join(folder.path, 'a.jpg'));
  expect(output).toMatch(/^video +H\.264, 320 x 180 pixels, (19|20|21)\.\d pictures\/s, \d+\.\d\d Mbit\/s$/m);
  expect(output).toMatch(/^key frames +every 1\.\d s, no B-frames$/m);
  expect(output).toMatch(/^captured +keyframes, by libav, \d+ ms of a processor for a key frame: \d+\.\d % of it at one every 3 s$/m);
  expect(output).toMatch(/^first picture +after \d+\.\d s$/m);
  expect(code).toBe(0);
  expect(imageSize(await readFile(join(folder.path, 'a.jpg')))).toMatchObject({ type: 'jpg', width: 320, height: 180 });
});

it('prints one JSON document', async () => {
  const { code, output } = await probe(camera.url('street'), '--json', '--log-level', 'error', '--capture-engine', 'ffmpeg');
  expect([code, JSON.parse(output)]).toMatchObject([0, { engine: 'ffmpeg', width: 320, height: 180 }]);
});

it('ends with 1 and the reason where nothing is to be seen, and with 2 where it was asked for in a wrong way', async () => {
  const away = await probe('rtsp://127.0.0.1:9/');
  expect([away.code, away.output]).toEqual([1, expect.stringContaining('lookout: ')]);
  expect(away.output).toContain('what to try: check the address');
  expect((await probe('camera')).code).toBe(2);
  expect((await probe()).code).toBe(2);
});
