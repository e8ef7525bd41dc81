/** What is too deep, too long or wrong in too many places: refused with few words, by every route that reads JSON. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { saying } from '../../src/http/answer.ts';
import { createFakeFace, type FakeFace } from '../helpers/fake-face.ts';
import { type Answer, createSite, type Site } from './site.ts';

let face: FakeFace;
let site: Site;

beforeAll(async () => {
  face = createFakeFace();
  site = await createSite(face);
  await site.send('POST', '/start_stream', { json: { camera_id: 'a', rtsp_url: 'rtsp://192.0.2.1/s' } });
});

afterAll(() => site.close());

const send = (method: string, path: string, body: string): Promise<Answer> => site.send(method, path, { body, headers: { 'Content-Type': 'application/json' } });
const errorOf = ({ json }: Answer): string => (json as { error: string }).error;
const deepList = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
const deepObject = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;

const ROUTES: readonly (readonly [string, string, string])[] = [
  ['POST', '/start_stream', 'model_name'], ['POST', '/start_streams', 'model_name'], ['POST', '/stop_stream', 'camera_id'],
  ['POST', '/api/cameras', 'cameraID'], ['PATCH', '/api/streams/a', 'models'],
];

describe.each(ROUTES)('%s %s', (method, path, field) => {
  it.each([[deepList, 100], [deepList, 400_000], [deepObject, 33], [deepObject, 150_000]] as const)('refuses JSON that is nested too deep (%#)', async (deep, levels) => {
    const answer = await send(method, path, `{"${field}":${deep(levels)}}`);
    expect([answer.status, errorOf(answer)]).toEqual([400, 'The body is nested more than 32 levels deep.']);
  });

  it('refuses lists and objects without end', async () => {
    for (const wide of [`[${'1,'.repeat(10_000)}1]`, JSON.stringify(Object.fromEntries(Array.from({ length: 10_001 }, (_, key) => [`k${key}`, 1])))]) {
      const answer = await send(method, path, `{"${field}":${wide}}`);
      expect([answer.status, errorOf(answer)]).toEqual([400, 'The body has a list, or an object, of more than 10000 items; send them in several requests.']);
    }
  });
});

it('the first twenty mistakes are told, and how many there are', async () => {
  const change = Object.fromEntries(Array.from({ length: 9000 }, (_, key) => [`${'k'.repeat(90)}${key}`, 1]));
  const answer = await site.send('PATCH', '/api/streams/a', { json: change });
  expect(answer.status).toBe(400);
  // Names that are the same as far as they are shown are one mistake.
  expect(answer.bytes.length).toBeLessThan(300);
  const short = await site.send('PATCH', '/api/streams/a', { json: Object.fromEntries(Array.from({ length: 9000 }, (_, key) => [`k${key}`, 1])) });
  expect(errorOf(short)).toMatch(/^The body does not know "k0"; .*"k19"; 8980 more like these\.$/);
});

it.each([
  ['a name of a model', { model_name: 'x'.repeat(900_000) }, 400],
  ['names of models', { models: Array.from({ length: 9000 }, (_, key) => `m${key}`) }, 400],
  ['an option', { transport: 'x'.repeat(900_000) }, 400],
  ['an id', { camera_id: 'x'.repeat(900_000) }, 400],
  ['an address', { rtsp_url: `rtsp://${'x'.repeat(900_000)}` }, 400],
])('%s of any length is refused in few words', async (_what, fields, status) => {
  const answer = await site.send('POST', '/start_stream', { json: { camera_id: 'b', rtsp_url: 'rtsp://192.0.2.1/s', ...fields } });
  expect([answer.status, answer.bytes.length < 1000]).toEqual([status, true]);
});

it('what is echoed is no longer than an echo has to be, for each of many streams', async () => {
  const streams = [
    { camera_id: { deep: [[['x'.repeat(300)]]] } }, { camera_id: 'y'.repeat(1000) }, { camera_id: 'z'.repeat(1000), rtsp_url: 'rtsp://192.0.2.1/s' },
    ...Array.from({ length: 2000 }, (_, key) => ({ camera_id: `c${key}`, rtsp_url: 'rtsp://192.0.2.1/s' })),
  ];
  const { status, json, bytes } = await site.send('POST', '/start_streams', { json: { streams, model_name: 'a://'.repeat(100_000) } });
  expect(status).toBe(200);
  const { model_name, results } = json as { model_name: string; results: readonly { camera_id: string; message: string }[] };
  expect(model_name.length).toBeLessThanOrEqual(5000);
  expect(results.slice(0, 3).map(({ camera_id }) => camera_id.length)).toEqual([200, 200, 200]);
  expect(results).toHaveLength(2003);
  expect(bytes.length).toBeLessThan(2_000_000);
});

it('a short value is echoed as it was sent', async () => {
  const { json } = await site.send('POST', '/start_streams', { json: { streams: [{ camera_id: { a: [1] } }], model_name: { $ne: 1 } } });
  expect(json).toMatchObject({ model_name: '{"$ne":1}', results: [{ camera_id: { a: [1] }, message: 'Missing rtsp_url or camera_id' }] });
});

it('what was cut off shows no credentials', () => {
  expect(saying(new Error(`rtsp://admin:${'p'.repeat(3000)}@host: ${'x'.repeat(5000)}`))).toMatch(/^rtsp:\/\/\*\*\*@host: x+…$/);
});
