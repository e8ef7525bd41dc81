/** POST /api/probe: what it takes and answers. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LookoutError } from '../../src/errors.ts';
import { createFakeFace, PROBE, type FakeFace } from '../helpers/fake-face.ts';
import { createSite, type Site } from './site.ts';

let face: FakeFace;
let site: Site;
beforeEach(async () => {
  face = createFakeFace();
  site = await createSite(face);
});
afterEach(() => site.close());

const probe = (json: unknown): ReturnType<Site['send']> => site.send('POST', '/api/probe', { json });

it('answers what is seen, with a picture', async () => {
  expect(await probe({ rtsp_url: 'rtsp://a/', interval_seconds: 1 })).toMatchObject({ status: 200, json: { ...PROBE, frame_base64: Buffer.from('jpeg').toString('base64') } });
});

it.each<[string, unknown, string]>([
  ['no address', {}, 'rtsp_url'], ['what is none', { rtsp_url: 'camera' }, 'rtsp_url'], ['an option that is out of range', { rtsp_url: 'rtsp://a/', interval_seconds: 0 }, 'interval_seconds'],
  ['a field that it does not know', { rtsp_url: 'rtsp://a/', camera_id: 'a' }, 'camera_id'], ['a scheme that is not allowed', { rtsp_url: 'file:///etc/passwd' }, 'scheme'],
])('refuses %s', async (_what, json, named) => {
  expect(await probe(json)).toMatchObject({ status: 400, json: { error: expect.stringContaining(named) as string } });
});

it('says why nothing is to be seen', async () => {
  face.failNext(new LookoutError('stream_auth', 'the camera refuses user name or password'));
  expect(await probe({ rtsp_url: 'rtsp://a/' })).toMatchObject({ status: 502, json: { code: 'stream_auth' } });
});

it('looks at four cameras at a time', async () => {
  const open: (() => void)[] = [];
  face.probe = () => new Promise((resolve) => { open.push(() => { resolve({ ...PROBE, jpeg: null }); }); });
  const waiting = Array.from({ length: 4 }, () => probe({ rtsp_url: 'rtsp://a/' }));
  await expect.poll(() => open.length).toBe(4);
  expect(await probe({ rtsp_url: 'rtsp://a/' })).toMatchObject({ status: 503, json: { code: 'too_many_at_once' } });
  for (const end of open.splice(0)) end();
  expect((await Promise.all(waiting)).map(({ status, json }) => [status, (json as { frame_base64: unknown }).frame_base64])).toEqual(Array(4).fill([200, null]));
  const next = probe({ rtsp_url: 'rtsp://a/' });
  await expect.poll(() => open.length).toBe(1);
  for (const end of open) end();
  expect((await next).status).toBe(200);
});
