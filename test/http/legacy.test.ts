/** The golden table of the Flask orchestrator: every row of its requests with the status and body it answered. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { createCameraTable } from '../../src/cameras/table.ts';
import { LookoutError } from '../../src/errors.ts';
import { silentLog } from '../../src/lib/log.ts';
import { createFakeFace, type FakeFace } from '../helpers/fake-face.ts';
import { type Asking, createSite, type Site } from './site.ts';

const URL_1 = 'rtsp://admin:secret@192.0.2.1:554/stream';
const MISSING = `{\n  "error": "Missing 'rtsp_url' or 'camera_id'"\n}\n`;
const sites: Site[] = [];
let face: FakeFace;
let site: Site;

beforeEach(async () => {
  face = createFakeFace();
  site = await createSite(face);
  sites.push(site);
});

afterAll(async () => { await Promise.all(sites.map((one) => one.close())); });

const post = (path: string, asking: Asking): ReturnType<Site['send']> => site.send('POST', path, asking);

describe('the page', () => {
  it.each(['/', '/static/index.html'])('GET %s answers 200 with the page, an ETag, Last-Modified, no-cache and the inline disposition', async (path) => {
    const { status, headers, text } = await site.send('GET', path);
    expect(status).toBe(200);
    expect(text).toContain('<title>Lookout</title>');
    expect(headers).toMatchObject({ 'content-disposition': 'inline; filename=index.html', 'cache-control': 'no-cache', 'content-type': 'text/html; charset=utf-8' });
    expect(headers.etag).toBeTruthy();
    expect(headers['last-modified']).toBeTruthy();
    const again = await site.send('GET', path, { headers: { 'If-None-Match': headers.etag ?? '' } });
    expect(again.status).toBe(304);
  });

  it('static files of the project are served after ours, as freely as it served them', async () => {
    const project = await mkdtemp(join(tmpdir(), 'lookout-static-'));
    try {
      await mkdir(join(project, 'static/maps'), { recursive: true });
      for (const name of ['index.html', 'app.js', 'dashboard.html', 'maps/city.json', '../secret.txt']) await writeFile(join(project, 'static', name), 'their own');
      const own = await createSite(face, { project });
      sites.push(own);
      const get = async (path: string): Promise<readonly unknown[]> => {
        const response = await fetch(`${own.url}/static/${path}`);
        return [response.status, (await response.text()) === 'their own', response.headers.get('content-security-policy')?.includes('default-src'), response.headers.get('cache-control')];
      };
      expect(await get('dashboard.html')).toEqual([200, true, false, 'no-cache']);
      expect(await get('maps/city.json')).toEqual([200, true, false, 'no-cache']);
      for (const ours of ['index.html', 'app.js']) expect(await get(ours)).toEqual([200, false, true, 'no-cache']);
      for (const none of ['nothing.html', 'maps/', '..%2fsecret.txt', '%2e%2e/secret.txt']) expect(await get(none), none).toEqual([expect.toBeOneOf([403, 404]), false, true, null]);
    } finally {
      await rm(project, { recursive: true });
    }
  });

  it('GET /favicon.ico answers 204 without a body', async () => {
    const { status, bytes, headers } = await site.send('GET', '/favicon.ico');
    expect([status, bytes.length, headers['content-type']]).toEqual([204, 0, 'text/html; charset=utf-8']);
  });
});

describe('POST /start_stream', () => {
  it('answers 200 with sorted, indented JSON and a newline at the end', async () => {
    const { status, text, headers } = await post('/start_stream', { json: { rtsp_url: URL_1, camera_id: 'CAM-001' } });
    expect([status, headers['content-type']]).toEqual([200, 'application/json']);
    expect(text).toBe('{\n  "camera_id": "CAM-001",\n  "model_name": "animals",\n  "status": "started"\n}\n');
    expect(face.asked.starts).toEqual([{ camera_id: 'CAM-001', url: URL_1, models: undefined, options: {} }]);
  });

  it('echoes the model name as sent', async () => {
    const { json } = await post('/start_stream', { json: { rtsp_url: URL_1, camera_id: 'a', model_name: 'motion' } });
    expect(json).toEqual({ camera_id: 'a', model_name: 'motion', status: 'started' });
  });

  it('echoes a number as a number and matches it as text', async () => {
    expect((await post('/start_stream', { json: { rtsp_url: URL_1, camera_id: 5 } })).json).toMatchObject({ camera_id: 5 });
    expect((await post('/start_stream', { json: { rtsp_url: URL_1, camera_id: '5' } })).json).toEqual({ camera_id: '5', status: 'already_running' });
  });

  it('escapes what is not ASCII as Python does', async () => {
    const { text } = await post('/start_stream', { json: { rtsp_url: URL_1, camera_id: 'Tür 🚪' } });
    expect(text).toContain('"camera_id": "T\\u00fcr \\ud83d\\udeaa"');
  });

  it('answers 200 already_running without a model name for a camera that runs, and changes nothing', async () => {
    await post('/start_stream', { json: { rtsp_url: URL_1, camera_id: 'a' } });
    const { status, text } = await post('/start_stream', { json: { rtsp_url: 'rtsp://other/', camera_id: 'a', model_name: 'motion' } });
    expect([status, text]).toEqual([200, '{\n  "camera_id": "a",\n  "status": "already_running"\n}\n']);
    expect(face.stream('a')?.models).toEqual(['animals']);
  });

  it.each([
    { rtsp_url: 'x' }, { rtsp_url: 'file:///x' }, { rtsp_url: URL_1, model_name: 5 }, { rtsp_url: URL_1, model_name: 'lions' }, { rtsp_url: URL_1, batch_size: 0 },
  ])('answers already_running for a camera that runs whatever else is sent: %j', async (fields) => {
    await post('/start_stream', { json: { rtsp_url: URL_1, camera_id: 'a' } });
    const one = await post('/start_stream', { json: { camera_id: 'a', ...fields } });
    expect([one.status, one.json]).toEqual([200, { camera_id: 'a', status: 'already_running' }]);
    const several = await post('/start_streams', { json: { streams: [{ camera_id: 'a', ...fields }] } });
    expect(several.json).toMatchObject({ results: [{ camera_id: 'a', status: 'already_running' }] });
  });

  it('does not say that a stopped camera runs', async () => {
    await post('/start_stream', { json: { rtsp_url: URL_1, camera_id: 'a' } });
    await face.stop('a');
    expect((await post('/start_stream', { json: { rtsp_url: 'x', camera_id: 'a' } })).status).toBe(400);
  });

  it.each<[string, Asking]>([
    ['a missing address', { json: { camera_id: 'a' } }],
    ['a missing camera', { json: { rtsp_url: URL_1 } }],
    ['an empty camera', { json: { rtsp_url: URL_1, camera_id: '' } }],
    ['an empty address', { json: { rtsp_url: '', camera_id: 'a' } }],
    ['camera 0', { json: { rtsp_url: URL_1, camera_id: 0 } }],
    ['camera null', { json: { rtsp_url: URL_1, camera_id: null } }],
    ['an empty list as the camera', { json: { rtsp_url: URL_1, camera_id: [] } }],
    ['the wrong content type', { body: JSON.stringify({ rtsp_url: URL_1, camera_id: 'a' }), headers: { 'Content-Type': 'text/plain' } }],
    ['malformed JSON', { body: '{"rtsp_url": ', headers: { 'Content-Type': 'application/json' } }],
    ['bytes that are not UTF-8', { body: Buffer.from([0x22, 0xff, 0x22]), headers: { 'Content-Type': 'application/json' } }],
    ['a form', { body: 'rtsp_url=rtsp://a/&camera_id=a', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }],
    ['no body', {}],
    ['an empty array', { json: [] }],
    ['null', { json: null }],
  ])('answers 400 naming the fields for %s', async (_what, asking) => {
    const { status, text } = await post('/start_stream', asking);
    expect([status, text]).toEqual([400, MISSING]);
  });

  it.each<[string, string | Buffer, string]>([
    ['NaN', '{"rtsp_url": "rtsp://h/x", "camera_id": "a", "interval_seconds": NaN}', 'The body holds NaN or Infinity'],
    ['-Infinity', '{"rtsp_url": "rtsp://h/NaN\\"", "camera_id": "a", "x": [1, -Infinity]}', 'The body holds NaN or Infinity'],
    ['UTF-16', Buffer.from('\ufeff{"rtsp_url": "rtsp://h/x", "camera_id": "a"}', 'utf16le'), 'The body is in UTF-16'],
    ['UTF-16 without a mark', Buffer.from('{"rtsp_url": "rtsp://h/x", "camera_id": "a"}', 'utf16le'), 'The body is in UTF-16'],
  ])('says that a body has %s, which Python would have read', async (_name, body, words) => {
    const { status, json } = await post('/start_stream', { body, headers: { 'Content-Type': 'application/json' } });
    expect([status, json]).toEqual([400, { error: expect.stringContaining(words) as string }]);
  });

  it('takes JSON under any application/…+json', async () => {
    const { status } = await post('/start_stream', { body: JSON.stringify({ rtsp_url: URL_1, camera_id: 'a' }), headers: { 'Content-Type': 'application/vnd.x+json; charset=utf-8' } });
    expect(status).toBe(200);
  });

  it.each<[string, unknown]>([
    ['an array', [{ rtsp_url: URL_1, camera_id: 'a' }]],
    ['a list as the camera', { rtsp_url: URL_1, camera_id: ['a'] }],
    ['an object as the camera', { rtsp_url: URL_1, camera_id: { a: 1 } }],
  ])('answers 400 with JSON for %s, where the old one had an HTML 500', async (_what, json) => {
    const { status, json: body } = await post('/start_stream', { json });
    expect(status).toBe(400);
    expect(Object.keys(body as object)).toEqual(['error']);
  });

  it.each(['.', '..', '../../evil', 'a/b', 'a\\b', 'a\nb', 'x'.repeat(129), '\ud800', true, 1e20])('refuses %j as a camera id', async (camera_id) => {
    const { status, text } = await post('/start_stream', { json: { rtsp_url: URL_1, camera_id } });
    expect(status).toBe(400);
    expect(text).toContain('camera_id must be');
  });

  it.each(['x'.repeat(128), '🚪'.repeat(128), ' CAM-1', '...', -1, 1.5])('takes %j as a camera id', async (camera_id) => {
    const { status, json } = await post('/start_stream', { json: { rtsp_url: URL_1, camera_id } });
    expect(status).toBe(200);
    expect(json).toMatchObject({ camera_id });
  });

  it('answers an unknown model with 400 and the known ones', async () => {
    const { status, text } = await post('/start_stream', { json: { rtsp_url: URL_1, camera_id: 'a', model_name: 'lions' } });
    expect(status).toBe(400);
    expect(text).toContain('known are animals, motion, potholes');
  });

  it('takes a list of models and all options', async () => {
    const options = { interval_seconds: 0.5, batch_size: 1, batch_deadline_seconds: 90, capture_mode: 'all', transport: 'udp', duration_seconds: null };
    const { json } = await post('/start_stream', { json: { rtsp_url: URL_1, camera_id: 'a', model_name: ['animals', 'motion', 'motion'], ...options, unknown: 1 } });
    expect(json).toEqual({ camera_id: 'a', model_name: ['animals', 'motion', 'motion'], status: 'started' });
    expect(face.asked.starts[0]).toMatchObject({ models: ['animals', 'motion'], options });
  });

  it('takes models where there is no model_name, and echoes them as such', async () => {
    const { json } = await post('/start_stream', { json: { rtsp_url: URL_1, camera_id: 'a', models: ['motion', 'potholes'] } });
    expect(json).toEqual({ camera_id: 'a', model_name: ['motion', 'potholes'], status: 'started' });
    await post('/start_stream', { json: { rtsp_url: URL_1, camera_id: 'b', model_name: 'animals', models: 'motion' } });
    expect(face.asked.starts).toMatchObject([{ models: ['motion', 'potholes'] }, { models: ['animals'] }]);
  });

  it('echoes that there are to be none', async () => {
    const { json } = await post('/start_stream', { json: { rtsp_url: 'push:', camera_id: 'a', models: [] } });
    expect(json).toEqual({ camera_id: 'a', model_name: [], status: 'started' });
    expect(face.asked.starts).toMatchObject([{ models: [] }]);
  });

  it.each([
    [{ interval_seconds: 0.05 }, 'interval_seconds must be >= 0.1'],
    [{ interval_seconds: 3601 }, 'interval_seconds must be <= 3600'],
    [{ interval_seconds: '3' }, 'interval_seconds must be number'],
    [{ batch_size: 101 }, 'batch_size must be <= 100'],
    [{ batch_size: 2.5 }, 'batch_size must be integer'],
    [{ capture_mode: 'some' }, 'capture_mode must be one of auto, keyframes, all'],
    [{ transport: 'http' }, 'transport must be one of tcp, udp'],
    [{ duration_seconds: 0 }, 'duration_seconds must be >= 0.1'],
    [{ batch_deadline_seconds: -1 }, 'batch_deadline_seconds must be >= 0.1'],
    [{ model_name: [] }, 'model_name, or models, must be'],
    [{ model_name: 5 }, 'model_name, or models, must be'],
    [{ model_name: [''] }, 'model_name, or models, must be'],
    [{ models: 5 }, 'model_name, or models, must be'],
  ])('refuses %j', async (fields, message) => {
    const { status, json } = await post('/start_stream', { json: { rtsp_url: URL_1, camera_id: 'a', ...fields } });
    expect(status).toBe(400);
    expect((json as { error: string }).error).toContain(message);
  });

  it.each(['/dev/video0', 'rtsp:', 5, 'rtsp://a\n/', 'rtsp://admin:my pass@192.0.2.1/', 'rtsp://admin:my"pass@192.0.2.1/'])('refuses the address %j', async (rtsp_url) => {
    const { status, json } = await post('/start_stream', { json: { rtsp_url, camera_id: 'a' } });
    expect(status).toBe(400);
    expect((json as { error: string }).error).toContain('rtsp_url must');
    expect((json as { error: string }).error).not.toContain('pass');
    expect(face.asked.starts).toEqual([]);
  });

  it('answers an id as it is, also one that looks like a password, and hides what is none', async () => {
    const camera_id = 'gate_token=5';
    expect((await post('/start_stream', { json: { rtsp_url: URL_1, camera_id } })).json).toMatchObject({ camera_id });
    expect((await post('/start_streams', { json: { model_name: `motion ${URL_1}`, streams: [{ rtsp_url: URL_1, camera_id }, { rtsp_url: 'x', camera_id: 'x_pwd=1' }] } })).json).toMatchObject({
      model_name: 'motion rtsp://***@192.0.2.1:554/stream', results: [{ camera_id }, { camera_id: 'x_pwd=1', status: 'error' }],
    });
    expect((await post('/api/cameras', { json: { cameraID: camera_id, latitude: 1, longitude: 1 } })).json).toMatchObject({ cameraID: camera_id });
    face.table.splice(0, face.table.length, { cameraID: camera_id, latitude: '1', longitude: '1' }, { cameraID: URL_1, latitude: URL_1, longitude: 'x?password=secret' });
    const { json, text } = await site.send('GET', '/api/cameras');
    expect((json as { cameras: unknown[] }).cameras[0]).toEqual({ cameraID: camera_id, latitude: '1', longitude: '1' });
    expect(text).not.toContain('secret');
  });

  it('keeps credentials out of its answers', async () => {
    const refused = await post('/start_stream', { json: { rtsp_url: URL_1.replace('rtsp', 'xyz'), camera_id: 'a' } });
    face.failNext(new LookoutError('stream_auth', `cannot open ${URL_1}`));
    const failed = await post('/start_streams', { json: { streams: [{ rtsp_url: URL_1, camera_id: 'a' }, { camera_id: URL_1 }] } });
    expect(refused.text + failed.text).not.toContain('secret');
    expect(failed.text).toContain('cannot open rtsp://***@192.0.2.1');
  });

  it.each(['GET', 'PUT', 'DELETE', 'PATCH'])('answers %s with 405 and Allow: POST, OPTIONS', async (method) => {
    const { status, headers } = await site.send(method, '/start_stream');
    expect([status, headers.allow, headers['content-type']]).toEqual([405, 'POST, OPTIONS', 'text/html; charset=utf-8']);
  });

  it('answers more than 1 MB with 413', async () => {
    const { status } = await post('/start_stream', { json: { rtsp_url: URL_1, camera_id: 'a', padding: 'x'.repeat(1_100_000) } });
    expect(status).toBe(413);
  });
});

describe('the default model name', () => {
  it.each([
    [{ models: ['animals', 'potholes', 'garbage'], record_format: 'v3' }, 'animals'],
    [{ models: ['motion'], record_format: 'v1' }, 'motion'],
    [{ models: ['animals', 'motion'], record_format: 'v1' }, ['animals', 'motion']],
  ] as const)('with defaults %j is %j', async (defaults, model_name) => {
    const other = await createSite(createFakeFace(defaults));
    sites.push(other);
    const { json } = await other.send('POST', '/start_stream', { json: { rtsp_url: URL_1, camera_id: 'a' } });
    expect(json).toEqual({ camera_id: 'a', model_name, status: 'started' });
  });
});

describe('POST /start_streams', () => {
  it('answers 200 with a result for each in request order, camera ids as text but for missing fields', async () => {
    await post('/start_stream', { json: { rtsp_url: URL_1, camera_id: 'old' } });
    const { status, text } = await post('/start_streams', {
      json: { streams: [{ rtsp_url: URL_1, camera_id: 7 }, { rtsp_url: URL_1, camera_id: 'old' }, { camera_id: 8 }, { rtsp_url: URL_1 }, { rtsp_url: URL_1, camera_id: 7 }] },
    });
    expect(status).toBe(200);
    expect(JSON.parse(text)).toEqual({
      model_name: 'animals',
      results: [
        { camera_id: '7', status: 'started' },
        { camera_id: 'old', status: 'already_running' },
        { camera_id: 8, message: 'Missing rtsp_url or camera_id', status: 'error' },
        { camera_id: null, message: 'Missing rtsp_url or camera_id', status: 'error' },
        { camera_id: '7', status: 'already_running' },
      ],
    });
    expect(text.startsWith('{\n  "model_name": "animals",\n  "results": [\n    {\n      "camera_id": "7",\n      "status": "started"\n    },\n')).toBe(true);
  });

  it('answers 200 when every element fails, each with what was wrong', async () => {
    const { status, json } = await post('/start_streams', { json: { streams: [{ rtsp_url: URL_1, camera_id: ['x'] }, { rtsp_url: 'file:///x', camera_id: 'a' }], model_name: 'lions' } });
    expect(status).toBe(200);
    expect(json).toMatchObject({ model_name: 'lions', results: [{ camera_id: '["x"]', status: 'error' }, { camera_id: 'a', status: 'error' }] });
  });

  it('starts every element with the model for all, or with its own model and options', async () => {
    await post('/start_streams', { json: { model_name: ['motion'], streams: [{ rtsp_url: URL_1, camera_id: 'a' }, { rtsp_url: URL_1, camera_id: 'b', model_name: 'potholes', batch_size: 5 }] } });
    expect(face.asked.starts).toMatchObject([{ models: ['motion'], options: {} }, { models: ['potholes'], options: { batch_size: 5 } }]);
  });

  it('starts every element with the options for all, beside its own', async () => {
    const { json } = await post('/start_streams', {
      json: { models: 'motion', batch_size: 2, duration_seconds: 60, streams: [{ rtsp_url: URL_1, camera_id: 'a' }, { rtsp_url: URL_1, camera_id: 'b', models: ['potholes'], batch_size: 5, duration_seconds: null }] },
    });
    expect(json).toMatchObject({ model_name: 'motion' });
    expect(face.asked.starts).toMatchObject([
      { models: ['motion'], options: { batch_size: 2, duration_seconds: 60 } }, { models: ['potholes'], options: { batch_size: 5, duration_seconds: null } },
    ]);
    expect((await post('/start_streams', { json: { batch_size: 0, streams: [{ rtsp_url: URL_1, camera_id: 'c' }] } })).json).toMatchObject({
      results: [{ camera_id: 'c', message: 'batch_size must be >= 1.', status: 'error' }],
    });
  });

  it.each<[string, Asking]>([
    ['no streams', { json: {} }],
    ['an empty list', { json: { streams: [] } }],
    ['an object', { json: { streams: { rtsp_url: URL_1 } } }],
    ['malformed JSON', { body: '[', headers: { 'Content-Type': 'application/json' } }],
    ['the wrong content type', { body: '{"streams":[{}]}' }],
  ])('answers 400 for %s', async (_what, asking) => {
    const { status, text } = await post('/start_streams', asking);
    expect([status, text]).toEqual([400, `{\n  "error": "Missing or invalid 'streams' array"\n}\n`]);
  });

  it('answers 400 for an element that is no object and starts none, where the old one had an HTML 500 and some running', async () => {
    const { status, json } = await post('/start_streams', { json: { streams: [{ rtsp_url: URL_1, camera_id: 'a' }, 'b'] } });
    expect(status).toBe(400);
    expect(json).toEqual({ error: "Element 1 of 'streams' must be a JSON object." });
    expect(face.asked.starts).toEqual([]);
  });
});

describe('/api/cameras', () => {
  it('GET answers the untouched text of the table', async () => {
    face.table.push({ cameraID: ' odd ', latitude: '', longitude: 'abc' });
    const { status, json, text } = await site.send('GET', '/api/cameras');
    expect(status).toBe(200);
    expect(json).toEqual({ cameras: face.table });
    expect(text.startsWith('{\n  "cameras": [\n    {\n      "cameraID": "CAM-001",\n')).toBe(true);
  });

  it('GET answers an empty list without a table', async () => {
    face.table.length = 0;
    expect((await site.send('GET', '/api/cameras')).text).toBe('{\n  "cameras": []\n}\n');
  });

  it('GET answers 500 with the text of a read error', async () => {
    face.failNext(new Error('permission denied'));
    const { status, json } = await site.send('GET', '/api/cameras');
    expect([status, json]).toEqual([500, { error: 'permission denied' }]);
  });

  it('POST answers 200 added with the stripped id', async () => {
    const { status, text } = await post('/api/cameras', { json: { cameraID: ' CAM-9 ', latitude: '26.4499', longitude: '80.3319' } });
    expect([status, text]).toEqual([200, '{\n  "cameraID": "CAM-9",\n  "status": "added"\n}\n']);
    expect(face.table.at(-1)).toEqual({ cameraID: 'CAM-9', latitude: '26.4499', longitude: '80.3319' });
  });

  it('POST takes numbers, also 0 degrees, and keeps text as it was written', async () => {
    expect((await post('/api/cameras', { json: { cameraID: 9, latitude: 0, longitude: '-080.50' } })).json).toEqual({ cameraID: '9', status: 'added' });
    expect(face.table.at(-1)).toEqual({ cameraID: '9', latitude: '0', longitude: '-080.50' });
  });

  it.each<[string, unknown]>([
    ['no id', { latitude: 1, longitude: 1 }],
    ['id 0', { cameraID: 0, latitude: 1, longitude: 1 }],
    ['an empty id', { cameraID: '', latitude: 1, longitude: 1 }],
    ['a blank id', { cameraID: '  ', latitude: 1, longitude: 1 }],
    ['no latitude', { cameraID: 'a', longitude: 1 }],
    ['longitude null', { cameraID: 'a', latitude: 1, longitude: null }],
    ['an empty array', []],
  ])('POST answers 400 for %s', async (_what, json) => {
    const { status, text } = await post('/api/cameras', { json });
    expect([status, text]).toEqual([400, '{\n  "error": "Missing cameraID, latitude, or longitude"\n}\n']);
  });

  it('POST answers 400 for an id that is there', async () => {
    const { status, text } = await post('/api/cameras', { json: { cameraID: ' CAM-001', latitude: 1, longitude: 1 } });
    expect([status, text]).toEqual([400, '{\n  "error": "Camera ID already exists"\n}\n']);
  });

  it.each([['', 1], ['abc', 1], [1, '181'], [91, 1], ['1,5', 1], ['0x10', 1], [true, 1], ['NaN', 1], [1, 'Infinity']])(
    'POST refuses the coordinates %j and %j, of which the old worker died later', async (latitude, longitude) => {
      const { status, json } = await post('/api/cameras', { json: { cameraID: 'a', latitude, longitude } });
      expect(status).toBe(400);
      expect((json as { error: string }).error).toMatch(/(latitude|longitude) must be a number of degrees/);
    });

  it('POST refuses an id that no stream could have', async () => {
    expect((await post('/api/cameras', { json: { cameraID: '../evil', latitude: 1, longitude: 1 } })).status).toBe(400);
  });

  it('POST adds the cameras of all who post at once', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lookout-legacy-'));
    try {
      const table = createCameraTable({ file: join(folder, 'camera_data.csv'), log: silentLog });
      const real = await createSite({ ...face, cameras: () => table.rows(), addCamera: (row) => table.add(row, new AbortController().signal) });
      sites.push(real);
      const ids = Array.from({ length: 40 }, (_, index) => `CAM-${String(index).padStart(2, '0')}`);
      const answers = await Promise.all(ids.map((cameraID) => real.send('POST', '/api/cameras', { json: { cameraID, latitude: 1, longitude: 1 } })));
      expect(answers.map(({ json }) => json)).toEqual(ids.map((cameraID) => ({ cameraID, status: 'added' })));
      expect((await table.rows()).map(({ cameraID }) => cameraID).sort()).toEqual(ids);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('POST answers 500 with the text of another error', async () => {
    face.failNext(new Error('disk full'));
    const { status, json } = await post('/api/cameras', { json: { cameraID: 'a', latitude: 1, longitude: 1 } });
    expect([status, json]).toEqual([500, { error: 'disk full' }]);
  });

  it.each(['PUT', 'DELETE'])('answers %s with 405 and Allow', async (method) => {
    const { status, headers } = await site.send(method, '/api/cameras');
    expect([status, headers.allow]).toEqual([405, 'HEAD, POST, GET, OPTIONS']);
  });

  it('answers OPTIONS with Allow', async () => {
    const { status, headers } = await site.send('OPTIONS', '/api/cameras');
    expect([status, headers.allow]).toEqual([200, 'HEAD, POST, GET, OPTIONS']);
  });
});
