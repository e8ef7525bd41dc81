/** The picture of an alert, from the camera to the chat, by the whole of Lookout. */
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createCameraKeys } from '../../src/store/camera-keys.ts';
import { startTestApp } from '../helpers/app.ts';
import { readForm } from '../helpers/form.ts';
import { startHook } from '../helpers/hook.ts';
import { ask } from '../http/site.ts';

const JPEG = execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=size=320x180:rate=1', '-frames:v', '1', '-f', 'image2pipe', '-c:v', 'mjpeg', '-']);

it('is the one that the page shows, with its box; a test has the newest of a camera', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lookout-picture-'));
  const hook = await startHook();
  onTestFinished(() => Promise.all([hook.stop(), rm(folder, { recursive: true, force: true })]).then(() => undefined));
  const chat = { name: 'chat', type: 'webhook', url: hook.url, picture: true, picture_field: 'photo', picture_url: 'sendPhoto', template: '{"caption": "{{ item.text }}"}' };
  await mkdir(join(folder, 'data'));
  await writeFile(join(folder, 'data', 'lookout.yaml'), JSON.stringify({ events: [{ name: 'boats' }], followers: [chat] }));
  const lookout = await startTestApp({}, folder);
  try {
    const port = Number(new URL(lookout.url).port);
    const key = await createCameraKeys(lookout.config.data_dir).make('SHIP');
    await ask(port, 'POST', '/start_stream', { json: { camera_id: 'SHIP', rtsp_url: 'push:', models: [], interval_seconds: 0 } });
    await ask(port, 'POST', '/api/cameras/SHIP/frames', { headers: { 'X-Camera-Auth': key, 'X-Finding': 'boat;0.75;10,20,30,40', 'Content-Type': 'image/jpeg' }, body: JPEG });
    await expect.poll(() => hook.requests.length, { timeout: 5000 }).toBe(1);
    const { events: [event] } = (await ask(port, 'GET', '/api/events')).json as { events: readonly { readonly id: string }[] };
    const { bytes: drawn } = await ask(port, 'GET', `/api/events/${event?.id ?? ''}/picture.jpg?boxes=true`);
    expect(drawn.equals(JPEG)).toBe(false);
    expect((await ask(port, 'POST', '/api/followers/chat/test', { json: {} })).json).toMatchObject({ reached: expect.stringContaining('with the newest picture of a camera') as unknown });
    const sent = hook.requests.map((request) => ({ path: request.path, ...readForm(request) }));
    const file = { name: 'picture.jpg', type: 'image/jpeg' };
    expect(sent).toEqual([
      { path: '/sendPhoto', caption: expect.stringMatching(/^SHIP: boat since .*75 % sure$/) as unknown, photo: { ...file, bytes: drawn } },
      { path: '/sendPhoto', caption: expect.stringMatching(/^This is a test/) as unknown, photo: { ...file, bytes: JPEG } },
    ]);
  } finally {
    await lookout.close();
  }
});
