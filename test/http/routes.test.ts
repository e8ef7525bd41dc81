/** The routes beyond the Flask orchestrator's: streams, models, pictures, records, health, documents. */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { get as httpGet } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { openApiDocument } from '../../src/http/openapi.ts';
import { RECORD_SCHEMAS } from '../../src/record/schema.ts';
import { LookoutError } from '../../src/errors.ts';
import { createFakeFace, type FakeFace } from '../helpers/fake-face.ts';
import { createStreamChanges } from '../../src/http/stream-changes.ts';
import type { StreamStatus } from '../../src/types.ts';
import { flatRecord, nestedRecord, PICTURE } from './records.ts';
import { type Answer, createSite, type Site, STATIC } from './site.ts';

const sites: Site[] = [];
let face: FakeFace;
let site: Site;

beforeEach(async () => {
  face = createFakeFace();
  site = await createSite(face);
  sites.push(site);
});

afterAll(async () => { await Promise.all(sites.map((one) => one.close())); });

const start = (camera_id: string | number): Promise<unknown> =>
  site.send('POST', '/start_stream', { json: { camera_id, rtsp_url: 'rtsp://admin:secret@192.0.2.1/s' } });

describe('POST /stop_stream', () => {
  it('stops a stream and echoes the camera with its type', async () => {
    await start(5);
    expect((await site.send('POST', '/stop_stream', { json: { camera_id: 5 } })).json).toEqual({ camera_id: 5, status: 'stopped' });
    expect((await site.send('POST', '/stop_stream', { json: { camera_id: '5' } })).json).toEqual({ camera_id: '5', status: 'not_running' });
  });

  it.each([{ json: {} }, { json: [] }, { body: '{', headers: { 'Content-Type': 'application/json' } }, { body: 'camera_id=5' }])('answers 400 with a code for %j', async (asking) => {
    const { status, json } = await site.send('POST', '/stop_stream', asking);
    expect(status).toBe(400);
    expect(json).toMatchObject({ code: 'bad_request' });
  });
});

describe('/api/streams', () => {
  it('lists streams without credentials, with the books', async () => {
    await start('a');
    const { json, text } = await site.send('GET', '/api/streams');
    expect(json).toMatchObject({ streams: [{ camera_id: 'a', url: 'rtsp://***@192.0.2.1/s' }], books: { captured: 0 } });
    expect(text).not.toContain('secret');
  });

  describe('with since', () => {
    interface Told { version: string; complete: boolean; streams: { camera_id: unknown }[]; removed: unknown[] }
    const told = async (since?: string): Promise<Told> => (await site.send('GET', `/api/streams${since === undefined ? '' : `?since=${encodeURIComponent(since)}`}`)).json as Told;
    const names = ({ streams, removed, complete }: Told): unknown => [complete, streams.map(({ camera_id }) => camera_id), removed];

    it('tells what has changed since, by whom, and what is gone', async () => {
      for (const id of ['a', 'b', 3]) await start(id);
      const first = await told();
      expect(names(first)).toEqual([true, ['a', 'b', 3], []]);
      face.show('b', { open_batch: 4 });
      await face.remove('3');
      const second = await told(first.version);
      expect(names(second)).toEqual([false, ['b'], [3]]);
      expect(names(await told(first.version)), 'somebody else asks the same').toEqual([false, ['b'], [3]]);
      const third = await told(second.version);
      expect([names(third), third.version]).toEqual([[false, [], []], second.version]);
      await start(3);
      expect(names(await told(first.version)), 'it is back').toEqual([false, ['b', 3], []]);
    });

    it('counts an age alone as no change', async () => {
      await start('a');
      face.show('a', { last_frame_at: '2026-01-31T12:00:00.000Z', last_frame_age_seconds: 1 });
      const { version } = await told();
      face.show('a', { last_frame_age_seconds: 2.5 });
      expect(names(await told(version))).toEqual([false, [], []]);
      face.show('a', { last_frame_at: '2026-01-31T12:00:03.000Z' });
      const later = await told(version);
      expect(names(later)).toEqual([false, ['a'], []]);
      face.show('a', { books: { captured: 1, recorded: 0, dead_lettered: 0, dropped: { late: 1 }, in_spool: 0 } });
      expect(names(await told(later.version))).toEqual([false, ['a'], []]);
    });

    it('tells everything to whoever comes with a version that is none of this run', async () => {
      await start('a');
      const { version } = await told();
      const strange = ['x', '', '0', '00000000-1', `${version}0`, version.replace(/\d+$/, '-1'), `${version} `, '__proto__'];
      for (const since of strange) expect(names(await told(since)), since).toEqual([true, ['a'], []]);
      expect((await site.send('GET', `/api/streams?since=${version}&since=${version}`)).status).toBe(400);
    });

    it('tells everything to whoever may have missed a removal that is forgotten by now', () => {
      const changes = createStreamChanges();
      const stream = (camera_id: string): StreamStatus => ({ camera_id, last_frame_age_seconds: null }) as StreamStatus;
      const many = Array.from({ length: 1001 }, (_, index) => stream(`CAM-${index}`));
      const { version } = changes([stream('first'), ...many]);
      const later = changes(many).version;
      expect(changes(many, version).removed).toEqual(['first']);
      const last = changes([], later);
      expect([last.complete, last.removed.length]).toEqual([true, 0]);
      expect(changes([], version).complete).toBe(true);
      expect(changes([], last.version)).toMatchObject({ complete: false, removed: [] });
    });
  });

  it('shows one stream by its percent-encoded camera', async () => {
    await start('Tür 1');
    const { status, json } = await site.send('GET', '/api/streams/T%C3%BCr%201');
    expect(status).toBe(200);
    expect(json).toMatchObject({ camera_id: 'Tür 1', state: 'running' });
  });

  it.each([['GET', '/api/streams/none', 404, 'not_found'], ['PATCH', '/api/streams/none', 404, 'not_found'], ['DELETE', '/api/streams/none', 404, 'not_found'], ['GET', '/api/streams/%zz', 400, 'bad_request']])('%s %s answers %d', async (method, path, status, code) => {
    const answer = await site.send(method, path, method === 'PATCH' ? { json: { enabled: true } } : {});
    expect(answer.status).toBe(status);
    expect(answer.json).toMatchObject({ code });
  });

  it('changes a stream', async () => {
    await start('a');
    const change = { url: 'rtsps://u:secret@192.0.2.9/x', models: ['motion'], options: { interval_seconds: 1 }, enabled: false };
    const { json, text } = await site.send('PATCH', '/api/streams/a', { json: change });
    expect(json).toMatchObject({ models: ['motion'], enabled: false, state: 'stopped', options: { interval_seconds: 1, batch_size: 10 } });
    expect(text).not.toContain('secret');
  });

  it.each([
    [{}, 'The body must NOT have fewer than 1 properties'],
    [{ optoins: {} }, 'does not know "optoins"'],
    [{ options: { batch_size: 0 } }, 'options.batch_size must be >= 1'],
    [{ options: { speed: 1 } }, 'options does not know "speed"'],
    [{ models: [] }, 'models must NOT have fewer than 1 items'],
    [{ enabled: 'no' }, 'enabled must be boolean'],
    [{ url: 'file:///x' }, 'URLs of the scheme file are not allowed'],
  ])('refuses the change %j', async (json, message) => {
    await start('a');
    const { status, text } = await site.send('PATCH', '/api/streams/a', { json });
    expect(status).toBe(400);
    expect((JSON.parse(text) as { error: string }).error).toContain(message);
  });

  it('removes a stream, and echoes the camera with its type', async () => {
    await start(5);
    const { status, json } = await site.send('DELETE', '/api/streams/5');
    expect([status, json]).toEqual([200, { camera_id: 5, status: 'removed' }]);
    expect((await site.send('GET', '/api/streams/5')).status).toBe(404);
    expect((await site.send('OPTIONS', '/api/streams/5')).headers.allow).toBe('HEAD, GET, PATCH, DELETE, OPTIONS');
  });

  it('answers what the app refuses with its code and status', async () => {
    await start('a');
    face.failNext(new LookoutError('shutting_down', 'Lookout stops.'));
    const { status, json } = await site.send('PATCH', '/api/streams/a', { json: { enabled: true } });
    expect([status, json]).toEqual([503, { error: 'Lookout stops.', code: 'shutting_down' }]);
  });
});

it('GET /api/models lists the models with their state and the default ones', async () => {
  face.showModel('animals', { state: 'provisioning', progress: 'fetching packages' });
  const { json } = await site.send('GET', '/api/models');
  expect(json).toMatchObject({ models: [{ name: 'animals', state: 'provisioning', progress: 'fetching packages' }, { name: 'motion' }, { name: 'potholes' }], default_models: ['animals'] });
});

it('GET /api/models/{name}/log lists what a model printed', async () => {
  const { json } = await site.send('GET', '/api/models/animals/log');
  expect(json).toEqual({ lines: [{ at: '2026-11-20T12:00:00.000Z', text: 'animals loads its weights' }] });
  expect(await site.send('GET', '/api/models/constructor/log')).toMatchObject({ status: 404, json: { code: 'not_found' } });
});

describe('GET /api/cameras/{id}/latest.jpg', () => {
  it('answers the picture with its time and age, never stored', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lookout-http-'));
    try {
      const captured_at = new Date(Date.now() - 4200).toISOString();
      await writeFile(join(folder, 'a.jpg'), Buffer.from([0xff, 0xd8, 0xff, 0xd9]));
      face.pictures.set('Tür/..', { file: join(folder, 'a.jpg'), captured_at });
      const { status, headers, bytes } = await site.send('GET', `/api/cameras/${encodeURIComponent('Tür/..')}/latest.jpg`);
      expect(status).toBe(200);
      expect(bytes).toEqual(Buffer.from([0xff, 0xd8, 0xff, 0xd9]));
      expect(headers).toMatchObject({ 'content-type': 'image/jpeg', 'cache-control': 'no-store', 'x-frame-time': captured_at, age: '4' });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('wakes a camera on demand, and says why nothing comes, unless nobody is to be woken', async () => {
    face.failNext(new LookoutError('stream_stalled', 'it gives nothing yet: connecting'));
    expect(await site.send('GET', '/api/cameras/a/latest.jpg?wake=false')).toMatchObject({ status: 404 });
    expect(await site.send('GET', '/api/cameras/a/latest.jpg')).toMatchObject({ status: 502, json: { error: 'it gives nothing yet: connecting', code: 'stream_stalled' } });
    for (const wake of ['', 'no', 'true&wake=false']) expect((await site.send('GET', `/api/cameras/a/latest.jpg?wake=${wake}`)).status, wake).toBe(400);
  });

  it('answers 404 without a picture, and for one that is gone from the spool', async () => {
    face.pictures.set('gone', { file: '/nowhere/a.jpg', captured_at: new Date().toISOString() });
    for (const id of ['none', 'gone']) {
      const { status, json } = await site.send('GET', `/api/cameras/${id}/latest.jpg`);
      expect(status).toBe(404);
      expect(json).toMatchObject({ code: 'not_found' });
    }
  });
});

describe('GET /api/records/{id}/picture.jpg', () => {
  const ID = 'CAM-001_0123abcd-0';
  const get = (path: string): Promise<Answer> => site.send('GET', `/api/records/${path}`);
  const kept = Buffer.from([0xff, 0xd8, 0xff, 0xd9]);

  it('answers the snapshot, and the frame of a box where that was kept', async () => {
    face.written.push(nestedRecord(ID));
    face.kept.set(`${ID}/2.jpg`, kept);
    for (const path of [`${ID}/picture.jpg`, `${ID}/picture.jpg?frame=1`]) {
      const { status, headers, bytes } = await get(path);
      expect([status, headers['content-type'], headers['cache-control'], bytes.toString('base64')]).toEqual([200, 'image/jpeg', 'private, max-age=86400, immutable', PICTURE]);
    }
    expect((await get(`${ID}/picture.jpg?frame=2`)).bytes).toEqual(kept);
  });

  it('never answers another frame instead', async () => {
    face.written.push(nestedRecord(ID), nestedRecord('without', 'CAM-001', ''), flatRecord());
    for (const path of [`${ID}/picture.jpg?frame=0`, `${ID}/picture.jpg?frame=99`, 'without/picture.jpg', 'none/picture.jpg', 'constructor/picture.jpg', '..%2F..%2Fetc/picture.jpg']) {
      expect(await get(path), path).toMatchObject({ status: 404, json: { code: 'not_found' } });
    }
    for (const query of ['frame=', 'frame=-1', 'frame=1.5', 'frame=x', 'frame=1&frame=2', 'frame=1000']) expect(await get(`${ID}/picture.jpg?${query}`), query).toMatchObject({ status: 400, json: { code: 'bad_request' } });
    expect((await get('%zz/picture.jpg')).status).toBe(400);
  });
});

describe('GET /api/records', () => {
  it('answers records of every generation, without pictures unless asked', async () => {
    face.written.push(nestedRecord(), flatRecord());
    const light = await site.send('GET', '/api/records');
    expect(light.json).toMatchObject({ records: [{ basic: { camID: 'CAM-001' } }, { camID: 'CAM-002' }] });
    expect(light.text).not.toContain('frame_base64');
    expect((await site.send('GET', '/api/records?pictures=true')).text).toContain('frame_base64');
  });

  it('answers those with pictures one after the other, as the others, and few such requests at a time', async () => {
    face.written.push(nestedRecord('a'), nestedRecord('b'), flatRecord());
    const { json, headers } = await site.send('GET', '/api/records?pictures=true');
    expect(json).toEqual({ records: [nestedRecord('a'), nestedRecord('b'), flatRecord()] });
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    face.written.length = 0;
    expect((await site.send('GET', '/api/records?pictures=true')).json).toEqual({ records: [] });
    // More than anybody holds for a reader that takes nothing.
    for (let number = 0; number < 50; number += 1) face.written.push(nestedRecord(`large-${number}`, 'CAM', 'A'.repeat(400_000)));
    face.asked.queries.length = 0;
    const deaf = Array.from({ length: 10 }, () => httpGet(`${site.url}/api/records?pictures=true`, (response) => { response.pause(); }).on('error', () => undefined));
    await expect.poll(() => face.asked.queries.length).toBe(4);
    await setTimeout(200);
    expect(face.asked.queries).toHaveLength(4);
    for (const one of deaf) one.destroy();
    expect((await site.send('GET', '/api/records?pictures=true')).json).toEqual({ records: face.written });
  });

  it('answers the record of one batch', async () => {
    face.written.push(nestedRecord('a'), nestedRecord('b'));
    expect((await site.send('GET', '/api/records?id=b')).json).toMatchObject({ records: [{ batch: { id: 'b' } }] });
    expect((await site.send('GET', '/api/records?id=c')).json).toEqual({ records: [] });
  });

  it('hands the query on', async () => {
    await site.send('GET', '/api/records?camera_id=a&model=motion&since=2026-01-31T12%3A00%3A00.5%2B02%3A00&limit=7&pictures=1');
    await site.send('GET', '/api/records');
    expect(face.asked.queries).toEqual([
      { camera_id: 'a', model: 'motion', since: '2026-01-31T12:00:00.5+02:00', limit: 7, pictures: true },
      { camera_id: undefined, model: undefined, since: undefined, limit: 50, pictures: false },
    ]);
  });

  it.each(['true', '1'])('gives at most 50 records with pictures=%s, and says so', async (pictures) => {
    expect((await site.send('GET', `/api/records?pictures=${pictures}&limit=50`)).status).toBe(200);
    const { status, json } = await site.send('GET', `/api/records?pictures=${pictures}&limit=51`);
    expect([status, json]).toEqual([400, { error: 'limit must be a whole number from 1 to 50 with pictures.', code: 'bad_request' }]);
    expect((await site.send('GET', '/api/records?pictures=false&limit=51')).status).toBe(200);
    const { parameters } = openApiDocument('1', {}).paths['/api/records']?.get ?? {};
    expect(parameters?.find(({ name }) => name === 'limit')?.description).toContain('with pictures 50');
  });

  it.each(['limit=0', 'limit=501', 'limit=x', 'limit=1.5', 'since=yesterday', 'since=2026-13-01T00:00:00Z', 'pictures=maybe', 'camera_id=a&camera_id=b'])('refuses %s', async (query) => {
    const { status, json } = await site.send('GET', `/api/records?${query}`);
    expect(status).toBe(400);
    expect(json).toMatchObject({ code: 'bad_request' });
  });
});

describe('health', () => {
  it('GET /api/records/schema.json gives the schema of the records', async () => {
    expect((await site.send('GET', '/api/records/schema.json')).json).toEqual(RECORD_SCHEMAS.v1);
  });

  it('GET /healthz says the version', async () => {
    expect((await site.send('GET', '/healthz')).json).toEqual({ status: 'ok', version: '1.2.3', log_lines_lost: 0 });
  });

  it('GET /readyz answers 503 with the failing parts', async () => {
    const server = { part: 'server', ready: true, reasons: [] };
    const storage = face.room;
    expect((await site.send('GET', '/readyz')).json).toEqual({ status: 'ready', not_ready: [], parts: [server, { part: 'records', ready: true, reasons: [] }], storage });
    face.missing.push('its record could not be written: the disk is full');
    const { status, json } = await site.send('GET', '/readyz');
    expect([status, json]).toEqual([503, { status: 'not_ready', not_ready: face.missing, parts: [server, { part: 'records', ready: false, reasons: face.missing }], storage }]);
  });
});

describe('documents', () => {
  it('GET /openapi.json answers a document whose schemas all compile, that of the records among them', async () => {
    const { json } = await site.send('GET', '/openapi.json');
    const document = openApiDocument('1.2.3', face.recordSchema);
    expect(json).toEqual(JSON.parse(JSON.stringify(document)));
    expect((json as typeof document).components.schemas['Record']).toEqual(RECORD_SCHEMAS.v1);
    const ajv = new Ajv2020({ strict: false });
    addFormats.default(ajv);
    ajv.addSchema(json as object, 'openapi');
    for (const name of Object.keys(document.components.schemas)) {
      expect(ajv.getSchema(`openapi#/components/schemas/${name}`), name).toBeTypeOf('function');
    }
  });

  it('GET /openapi.json has a schema that records meet and broken ones do not', async () => {
    const { json } = await site.send('GET', '/openapi.json');
    const ajv = new Ajv2020({ strict: false });
    addFormats.default(ajv);
    ajv.addSchema(json as object, 'openapi');
    const validate = ajv.getSchema('openapi#/components/schemas/Record');
    expect(validate?.(nestedRecord()), ajv.errorsText(validate?.errors)).toBe(true);
    expect(validate?.({ ...(nestedRecord() as object), stray_animal: { detections: [{ class: 'dog', confidence: 3, frame: 0 }] } })).toBe(false);
  });

  it('GET /docs answers a page', async () => {
    expect((await site.send('GET', '/docs')).text).toContain('<title>Lookout API</title>');
  });

  it('an unknown path answers 404 with a code', async () => {
    const { status, json } = await site.send('GET', '/nothing');
    expect([status, json]).toEqual([404, { error: 'Nothing is at /nothing; /docs lists what there is.', code: 'not_found' }]);
  });

  it('no path leads out of the static folder', async () => {
    for (const path of ['/static/..%2fpackage.json', '/static/../package.json', '/static/%2e%2e/package.json']) {
      expect((await site.send('GET', path)).status).toBeGreaterThanOrEqual(400);
    }
  });

  it.each([['style.css', 'text/css'], ['app.js', 'text/javascript'], ['icon.svg', 'image/svg+xml'], ['page.png', 'image/png']])('the file %s of the page is sent byte for byte, and not again while it is the same', async (name, type) => {
    const file = join(STATIC, name);
    const ask = (headers: Record<string, string> = {}, method = 'GET'): Promise<Response> => fetch(`${site.url}/static/${name}`, { method, headers: { 'Accept-Encoding': 'identity', ...headers } });
    const answer = await ask();
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-cache']);
    expect(answer.headers.get('content-type')?.split(';')[0]).toBe(type);
    const bytes = Buffer.from(await answer.arrayBuffer());
    expect(bytes.equals(await readFile(file))).toBe(true);
    for (const unless of [{ 'If-None-Match': answer.headers.get('etag') ?? '' }, { 'If-Modified-Since': (await stat(file)).mtime.toUTCString() }]) {
      // What fetch sends by itself with such asks for it anew.
      expect((await ask({ ...unless, 'Cache-Control': 'max-age=0' })).status).toBe(304);
    }
    const head = await ask({}, 'HEAD');
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, String(bytes.length), '']);
  });

  it('a method that a path does not take answers 405 with Allow and a code', async () => {
    const { status, headers, json } = await site.send('DELETE', '/api/streams');
    expect([status, headers.allow]).toEqual([405, 'HEAD, GET, OPTIONS']);
    expect(json).toMatchObject({ code: 'method_not_allowed' });
  });
});
