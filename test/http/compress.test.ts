/** Which answers come in fewer bytes, to whom, and which are left as they are. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createFakeFace, type FakeFace } from '../helpers/fake-face.ts';
import { nestedRecord } from './records.ts';
import { createSite, type Site } from './site.ts';

let face: FakeFace;
let site: Site;
let folder: string;

beforeAll(async () => {
  face = createFakeFace();
  folder = await mkdtemp(join(tmpdir(), 'lookout-compress-'));
  await mkdir(join(folder, 'static'));
  await writeFile(join(folder, 'static', 'their.css'), ' '.repeat(20_000));
  site = await createSite(face, { project: folder });
  // As compressible as no picture is.
  await writeFile(join(folder, 'a.jpg'), Buffer.alloc(20_000, 'x'));
  face.pictures.set('CAM-0', { file: join(folder, 'a.jpg'), captured_at: new Date().toISOString() });
  for (let i = 0; i < 200; i++) {
    await face.start({ camera_id: `CAM-${i}`, url: 'rtsp://192.0.2.1/s' });
    face.table.push({ cameraID: `CAM-${i}`, latitude: '1', longitude: '2' });
  }
  for (let i = 0; i < 20; i++) face.written.push(nestedRecord(`CAM-001_0123abcd-${i}`));
});

afterAll(async () => {
  await site.close();
  await rm(folder, { recursive: true });
});

/** How an answer is encoded, and its bytes on the way. */
async function get(path: string, headers: Record<string, string> = { 'Accept-Encoding': 'gzip' }): Promise<{ encoding: string | null; type: string; text: string }> {
  const response = await fetch(`${site.url}${path}`, { headers });
  expect(response.ok, path).toBe(true);
  return { encoding: response.headers.get('content-encoding'), type: response.headers.get('content-type') ?? '', text: await response.text() };
}

it.each(['/api/streams', '/api/records', '/openapi.json', '/', '/static/style.css', '/static/app.js'])('%s is sent in gzip where that is accepted, and says the same', async (path) => {
  const [small, plain] = [await get(path), await get(path, { 'Accept-Encoding': 'identity' })];
  expect([small.encoding, plain.encoding]).toEqual(['gzip', null]);
  expect(small.text).toBe(plain.text);
});

it.each([
  ['pictures', '/api/cameras/CAM-0/latest.jpg'],
  ['records with their pictures', '/api/records?pictures=true'],
  ['what is small', '/healthz'],
  ['what clients of the Flask orchestrator get', '/api/cameras'],
])('leaves %s as they are', async (_what, path) => {
  expect((await get(path)).encoding).toBeNull();
});

it('leaves parts of a file as they are', async () => {
  const response = await fetch(`${site.url}/static/their.css`, { headers: { 'Accept-Encoding': 'gzip', Range: 'bytes=0-2999' } });
  expect([response.status, response.headers.get('content-encoding'), (await response.text()).length]).toEqual([206, null, 3000]);
});
