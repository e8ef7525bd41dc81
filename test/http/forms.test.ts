/** The plain form: what a browser without JavaScript sends, and what keeps forms of other sites out. */
import { afterAll, beforeEach, expect, it } from 'vitest';
import { LookoutError } from '../../src/errors.ts';
import { createFakeFace, type FakeFace } from '../helpers/fake-face.ts';
import { type Answer, createSite, type Site } from './site.ts';

const sites: Site[] = [];
let face: FakeFace;
let site: Site;

beforeEach(async () => {
  face = createFakeFace();
  site = await createSite(face);
  sites.push(site);
});

afterAll(async () => { await Promise.all(sites.map((one) => one.close())); });

const own = (): Record<string, string> => ({ Origin: `http://127.0.0.1:${site.port}` });
const submit = (fields: Record<string, string>, headers: Record<string, string> = own()): Promise<Answer> =>
  site.send('POST', '/forms/start_stream', { body: new URLSearchParams(fields).toString(), headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers } });

const FIELDS = { rtsp_url: 'rtsp://u:secret@192.0.2.1/s', camera_id: 'CAM-001' };

it('starts a stream and goes back to the page, which says so', async () => {
  const { status, headers } = await submit({ ...FIELDS, model_name: 'animals, motion', latitude: '', longitude: '' });
  expect([status, headers.location]).toEqual([303, '../?started=CAM-001']);
  expect(face.asked.starts).toMatchObject([{ camera_id: 'CAM-001', models: ['animals', 'motion'] }]);
  expect((await site.send('GET', '/?started=CAM-001')).text).toContain('<p class="notice good" role="status">Started: CAM-001.');
});

it('takes the default models where none are named', async () => {
  await submit({ ...FIELDS, model_name: '' });
  expect(face.asked.starts[0]?.models).toBeUndefined();
});

it('adds a camera that is new, and leaves a known one alone', async () => {
  await submit({ ...FIELDS, camera_id: 'CAM-9', latitude: '1.50', longitude: '2' });
  expect(face.table.at(-1)).toEqual({ cameraID: 'CAM-9', latitude: '1.50', longitude: '2' });
  await submit({ ...FIELDS, latitude: '1', longitude: '2' });
  expect(face.table).toHaveLength(3);
  expect(face.asked.starts).toHaveLength(2);
});

it('says that a camera runs already', async () => {
  await submit(FIELDS);
  expect((await submit(FIELDS)).headers.location).toBe('../?already_running=CAM-001');
});

it.each([
  [{ rtsp_url: 'file:///etc/passwd' }, 'URLs of the scheme file are not allowed'],
  [{ camera_id: '' }, 'camera_id must be'],
  [{ model_name: 'lions' }, 'known are animals'],
  [{ camera_id: 'new', latitude: '100', longitude: '2' }, 'latitude must be'],
])('says on the page what is wrong with %j and starts nothing', async (fields, message) => {
  const { status, headers, text } = await submit({ ...FIELDS, ...fields });
  expect([status, headers['cache-control']]).toEqual([400, 'no-store']);
  expect(/role="alert">(Not started: [^<]*)</.exec(text)?.[1]).toContain(message);
  expect(text).toContain('href="../static/style.css"');
  expect(text).not.toContain('secret');
  expect(face.asked.starts).toEqual([]);
});

it('refuses in no time what is long and no number', async () => {
  const began = performance.now();
  expect((await submit({ ...FIELDS, camera_id: 'new', latitude: `${'1'.repeat(90_000)}x`, longitude: '2' })).text).toContain('latitude must be');
  expect(performance.now() - began).toBeLessThan(1000);
});

it('shows a message as text only', async () => {
  const { text } = await submit({ ...FIELDS, model_name: '<script>alert("$&")</script>' });
  expect(text).toContain('&#60;script&#62;alert(&#34;$&#38;&#34;)&#60;/script&#62;');
  expect(text).not.toContain('<script>alert');
});

it('says why there is no room for another stream, and what failed here', async () => {
  face.failNext(new LookoutError('too_many_streams', '5 streams are known'));
  const full = await submit(FIELDS);
  expect([full.status, full.text.includes('Not started: 5 streams are known')]).toEqual([409, true]);
  face.failNext(new Error('the disk is gone'));
  const failed = await submit(FIELDS);
  expect([failed.status, failed.text.includes('Not started: the disk is gone')]).toEqual([500, true]);
});

it('says nothing that an address makes up', async () => {
  await submit(FIELDS);
  const plain = (await site.send('GET', '/')).text;
  const phrase = 'Your token has expired. Mail it to admin@evil.example';
  for (const name of ['error', 'started', 'already_running', 'notice']) {
    const { text } = await site.send('GET', `/?${name}=${encodeURIComponent(phrase)}`);
    expect(text, name).toBe(plain);
  }
  for (const query of ['started=CAM-001&started=x', 'started[]=CAM-001', 'error=forbidden_scheme']) expect((await site.send('GET', `/?${query}`)).text, query).toBe(plain);
  expect((await site.send('GET', '/?already_running=CAM-001')).text).toContain('Already running: CAM-001.');
});

it.each<[string, Record<string, string>, number]>([
  ['an Origin of our own', { Origin: 'own' }, 303],
  ['a Referer of our own', { Referer: 'own' }, 303],
  ['Sec-Fetch-Site: same-origin', { 'Sec-Fetch-Site': 'same-origin' }, 303],
  ['another Origin', { Origin: 'http://evil.example' }, 403],
  ['Origin null', { Origin: 'null' }, 403],
  ['another Referer', { Referer: 'http://evil.example/a' }, 403],
  ['Sec-Fetch-Site: cross-site with an Origin of our own', { Origin: 'own', 'Sec-Fetch-Site': 'cross-site' }, 403],
  ['Sec-Fetch-Site: same-site', { 'Sec-Fetch-Site': 'same-site' }, 403],
  ['nothing that says where it stood', {}, 403],
])('a form with %s is judged by it', async (_what, sent, expected) => {
  const headers = Object.fromEntries(Object.entries(sent).map(([name, value]) => [name, value === 'own' ? site.url : value]));
  expect((await submit(FIELDS, headers)).status).toBe(expected);
  expect(face.asked.starts).toHaveLength(expected === 303 ? 1 : 0);
});
