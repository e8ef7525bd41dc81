/** Followers over HTTP: how they do, and what may be asked of them. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LookoutError } from '../../src/errors.ts';
import { createFakeFace, type FakeFace } from '../helpers/fake-face.ts';
import { createSite, type Answer, type Site } from './site.ts';

let face: FakeFace;
let site: Site;

beforeEach(async () => {
  face = createFakeFace();
  site = await createSite(face);
});

afterEach(() => site.close());

const post = (path: string, json: unknown = {}): Promise<Answer> => site.send('POST', `/api/followers/${path}`, { json });

it('GET /api/followers tells how each does', async () => {
  const { status, json } = await site.send('GET', '/api/followers');
  expect([status, json]).toMatchObject([200, { followers: [{ name: 'control-room', type: 'webhook', state: 'waiting', reason: 'it took no connection', lag_items: 3, set_aside: 2, lost: 0 }] }]);
});

describe('what may be asked of one', () => {
  it('is that its target is reached, in words', async () => {
    expect(await post('control-room/test')).toMatchObject({ status: 200, json: { reached: 'https://hooks.example answers' } });
  });

  it.each(['now', 'beginning', '2026-01-31T12:00:00Z'])('is that it goes on from %s', async (to) => {
    expect(await post('control-room/rewind', { to })).toMatchObject({ status: 200, json: { status: 'rewound' } });
  });

  it('is that what was refused is brought once more', async () => {
    expect(await post('control-room/retry')).toMatchObject({ status: 200, json: { taken: 2 } });
  });

  it.each(['test', 'rewind', 'retry'])('is refused of one that there is not: %s', async (what) => {
    for (const name of ['nobody', 'constructor', '..%2Fcontrol-room']) expect(await post(`${name}/${what}`, { to: 'now' }), name).toMatchObject({ status: 404, json: { code: 'not_found' } });
    expect(await post(`%zz/${what}`, { to: 'now' })).toMatchObject({ status: 400 });
  });

  it.each(['test', 'retry'])('answers 502 with the reason where the target is away: %s', async (what) => {
    face.failNext(new LookoutError('target_away', 'https://hooks.example: it took no connection'));
    expect(await post(`control-room/${what}`)).toMatchObject({ status: 502, json: { code: 'target_away', error: 'https://hooks.example: it took no connection' } });
  });

  it('is answered 503 while Lookout starts', async () => {
    face.failNext(new LookoutError('not_ready', 'Lookout is starting.'));
    expect(await post('control-room/test')).toMatchObject({ status: 503, json: { code: 'not_ready' } });
  });

  it.each([{}, { to: 5 }, { to: null }, []])('refuses to go on from %j', async (json) => {
    expect(await post('control-room/rewind', json)).toMatchObject({ status: 400, json: { code: 'bad_request' } });
  });

  it('is nothing that changes how it is set up', async () => {
    expect((await post('', { name: 'other', type: 'webhook' })).status).toBe(405);
    for (const method of ['POST', 'PATCH']) expect((await site.send(method, '/api/followers/control-room', { json: { url: 'http://elsewhere.example/' } })).status).toBe(404);
    expect((await site.send('DELETE', '/api/followers/control-room')).status).toBe(404);
    expect((await site.send('GET', '/api/followers/control-room/rewind')).status).toBe(405);
  });
});
