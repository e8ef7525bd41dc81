/** What is said of events, to the whole of Lookout: rules that change, verdicts and kept pictures, before and after a restart. */
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createCameraKeys } from '../../src/store/camera-keys.ts';
import type { ReviewedEvent } from '../../src/types.ts';
import { startTestApp, type TestApp } from '../helpers/app.ts';
import { ask, type Answer, type Asking } from './site.ts';

const JPEG = execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=size=320x180:rate=1', '-frames:v', '1', '-f', 'image2pipe', '-c:v', 'mjpeg', '-']);
const asker = ({ url }: TestApp) => (method: string, path: string, asking?: Asking): Promise<Answer> => ask(Number(new URL(url).port), method, path, asking);

it('hold until the restart, or over it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lookout-reviews-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, 'data'));
  await writeFile(join(folder, 'data', 'lookout.yaml'), 'events: [{name: boats, alert: false}]\nrotate_bytes: 1000\n');
  let lookout = await startTestApp({}, folder);
  let send = asker(lookout);
  const events = async (): Promise<readonly ReviewedEvent[]> => ((await send('GET', '/api/events')).json as { events: readonly ReviewedEvent[] }).events;
  try {
    const key = await createCameraKeys(lookout.config.data_dir).make('SHIP');
    const push = (finding: string): Promise<Answer> => send('POST', '/api/cameras/SHIP/frames', { headers: { 'X-Camera-Auth': key, 'X-Finding': finding, 'Content-Type': 'image/jpeg' }, body: JPEG });
    await send('POST', '/start_stream', { json: { camera_id: 'SHIP', rtsp_url: 'push:', models: [], interval_seconds: 0 } });
    expect((await push('boat;0.75;10,20,30,40')).status).toBe(202);
    expect((await push('fog;0.5')).status).toBe(202);
    await expect.poll(async () => (await events()).map(({ class: name, alert, suppressed }) => [name, alert, suppressed]), { timeout: 5000 }).toEqual([['fog', false, 'rule'], ['boat', false, 'rule']]);
    expect((await send('PATCH', '/api/rules/boats', { json: { alert: true } })).json).toMatchObject({ name: 'boats', models: null, alert: true });
    expect((await push('boat;0.7;10,20,30,40')).status).toBe(202);
    await expect.poll(async () => (await events())[1], { timeout: 5000 }).toMatchObject({ class: 'boat', state: 'going_on', alert: true, alerts_now: true });

    const [fog, boat] = await events();
    const picture = `/api/events/${boat?.id ?? ''}/picture.jpg`;
    expect((await send('GET', picture)).bytes.equals(JPEG)).toBe(true);
    const drawn = await send('GET', `${picture}?boxes=true`);
    expect([drawn.status, drawn.bytes.subarray(0, 2).toString('hex'), drawn.bytes.equals(JPEG)]).toEqual([200, 'ffd8', false]);
    expect((await send('GET', `/api/events/${fog?.id ?? ''}/picture.jpg?boxes=true`)).bytes.equals(JPEG)).toBe(true);

    const said = { verdict: 'false_alarm', keep: true };
    expect((await send('PATCH', `/api/events/${boat?.id ?? ''}`, { json: said })).json).toMatchObject({ id: boat?.id, ...said });
    await lookout.close();
    // Its clip came later than its entry is written.
    const clip = join(folder, 'data', 'clips', 'SHIP_late');
    await mkdir(clip, { recursive: true });
    const facts = { id: 'SHIP_late', made_of: 'frames', begins_at: '2026-11-20T12:00:00.000Z' };
    await writeFile(join(clip, 'clip.json'), JSON.stringify({ ...facts, camera_id: 'SHIP', events: [boat?.id], seconds: 9, bytes: 5 }));
    await writeFile(join(clip, 'clip.mp4'), 'video');
    lookout = await startTestApp({}, folder);
    send = asker(lookout);
    expect((await send('GET', `/api/events/${boat?.id ?? ''}`)).json).toMatchObject({ clip: { ...facts, ends_at: '2026-11-20T12:00:09.000Z' } });
    expect((await send('GET', `/api/events/${boat?.id ?? ''}/clip.mp4`)).text).toBe('video');
    expect((await send('GET', '/api/rules/boats')).json).toMatchObject({ alert: false });
    expect((await send('GET', `/api/events/${boat?.id ?? ''}`)).json).toMatchObject({ alert: true, ...said });
    expect((await events()).map(({ keep }) => keep)).toEqual([false, true]);
    // By the setting, as that of records is.
    expect((await readdir(join(folder, 'data'))).filter((name) => /^events-.*\.ndjson$/.test(name)).length).toBeGreaterThan(1);
  } finally {
    await lookout.close();
  }
});
