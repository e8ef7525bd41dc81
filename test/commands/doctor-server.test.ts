/** What `lookout doctor --url` says of servers that run, and of what is none. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Check } from '../../src/commands/checks.ts';
import { examineServer } from '../../src/commands/doctor-server.ts';
import { judge, type Told } from '../../src/commands/judge.ts';
import type { ModelStatus, StreamStatus } from '../../src/types.ts';
import { command } from '../helpers/command.ts';
import { createFakeFace, type FakeFace } from '../helpers/fake-face.ts';
import { createSite } from '../http/site.ts';
import { testFolder } from '../store/folder.ts';

const folder = testFolder();
const NOW = Date.parse('2026-11-20T12:00:00Z');
const ago = (seconds: number, now = NOW): string => new Date(now - seconds * 1000).toISOString();

async function doctor(url: string): Promise<{ readonly code: number; readonly lines: readonly string[] }> {
  const { code, output } = await command(['doctor', '--url', url], { folder: folder.path });
  return { code, lines: output.trimEnd().split('\n') };
}

const examine = (url: string, tokenFile: string | null = null): Promise<readonly Check[]> => examineServer({ flags: {}, signal: new AbortController().signal }, url, tokenFile);

async function serve(face: FakeFace, token: string | null = null): Promise<string> {
  const site = await createSite(face, { token });
  onTestFinished(site.close);
  return site.url;
}

async function serveAnything(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  onTestFinished(() => { server.closeAllConnections(); server.close(); });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A stream that works, but for what is said. */
async function streams(changes: Readonly<Record<string, Partial<StreamStatus>>>): Promise<readonly StreamStatus[]> {
  const face = createFakeFace();
  for (const [camera_id, change] of Object.entries(changes)) {
    await face.start({ camera_id, url: 'rtsp://192.0.2.1/s', models: ['animals'] });
    face.show(camera_id, { since: ago(3600), last_frame_at: ago(2), ...change });
  }
  return face.streams();
}

const models = async (change: Partial<ModelStatus> = {}): Promise<readonly ModelStatus[]> => {
  const face = createFakeFace();
  face.showModel('animals', change);
  face.showModel('potholes', { state: 'failed', missing: 'put weights into models/potholes' });
  return face.models();
};

/** Lines as they would be printed, of what is wrong; and whether something that is needed is. */
async function wrong(told: Partial<Told>): Promise<{ readonly lines: readonly string[]; readonly fails: boolean }> {
  const face = createFakeFace();
  const checks = judge({ parts: face.parts(), storage: await face.storage(), streams: [], books: face.books(), models: await models(), ...told }, NOW).filter(({ ok }) => !ok);
  return { lines: checks.map(({ name, found, mend }) => `${name}: ${found} -> ${mend}`), fails: checks.some(({ needed }) => needed) };
}

describe('doctor --url', () => {
  it('finds nothing wrong with a server that is well, but that it is of another version', async () => {
    const face = createFakeFace();
    await face.start({ camera_id: 'CAM-1', url: 'rtsp://192.0.2.1/s' });
    face.show('CAM-1', { last_frame_at: ago(1, Date.now()) });
    const { code, lines } = await doctor(await serve(face));
    expect(code).toBe(0);
    expect(lines.filter((line) => !line.startsWith('ok '))).toEqual([expect.stringMatching(/^wrong {3}version {8}1\.2\.3, and this is .* -> examine it with the version that it runs$/)]);
    for (const name of ['server', 'server ready', 'records ready', 'data disk', 'frames disk', 'books', 'streams', 'model']) expect(lines.some((line) => line.slice(8, 23).trimEnd() === name), name).toBe(true);
  });

  it('says what is wrong and ends with 1, whatever the server writes into its reasons', async () => {
    const face = createFakeFace();
    face.missing.push('its record could not be written:\n\u001b[2Jthe disk is full');
    const { code, lines } = await doctor(await serve(face));
    expect(code).toBe(1);
    expect(lines).toContainEqual(expect.stringContaining('wrong   records ready  its record could not be written: [2Jthe disk is full -> make room'));
  });

  it('ends with 2 where it was called wrongly', async () => {
    expect(await doctor('localhost:5000')).toMatchObject({ code: 2, lines: [expect.stringContaining('--url must be an address such as http://host:5000'), expect.anything()] });
  });
});

describe('a server', () => {
  it('is asked with the token of a file, whatever is in it', async () => {
    const url = await serve(createFakeFace(), 'öpen sesame');
    expect((await examine(url)).at(-1)).toMatchObject({ name: 'token', ok: false, needed: true, mend: expect.stringContaining('--token-file') as string });
    const file = join(folder.path, 'token');
    await writeFile(file, 'öpen sesame\n');
    const known = await examine(`${url}/`, file);
    expect(known.filter(({ ok, needed }) => needed && !ok)).toEqual([]);
    expect(known.length).toBeGreaterThan(5);
  });

  it('is missed where nothing listens', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    expect(await examine(`http://127.0.0.1:${port}`)).toMatchObject([{ name: 'server', ok: false, needed: true, found: expect.stringContaining('ECONNREFUSED') as string }]);
  });

  it('is missed where something else answers, which hears no token by a redirect', async () => {
    const heard: (string | undefined)[] = [];
    const elsewhere = await serveAnything((request, response) => { heard.push(request.headers.authorization); response.end('{}'); });
    const url = await serveAnything((_request, response) => { response.writeHead(302, { location: `${elsewhere}/healthz` }).end(); });
    const file = join(folder.path, 'token');
    await writeFile(file, 'secret');
    expect(await examine(url, file)).toMatchObject([{ name: 'server', ok: false, needed: true, found: `${url}/ answers 302, and not as Lookout does` }]);
    expect(heard).toEqual([]);
    const page = await serveAnything((_request, response) => { response.end('<h1>Something</h1>'); });
    expect(await examine(page)).toMatchObject([{ ok: false, found: `${page}/ answers 200, and not as Lookout does` }]);
  });

  it('that tells less than is asked for is not judged', async () => {
    const url = await serveAnything((request, response) => { response.end(JSON.stringify(request.url === '/healthz' ? { status: 'ok', version: '0.0.1' } : { streams: [] })); });
    expect((await examine(url)).at(-1)).toMatchObject({ name: 'answers', needed: true, found: 'it tells nothing of its parts, storage, books, models' });
  });

  it.each([
    ['http://me:secret@localhost:5000', null, '--url must hold no login'],
    ['file:///etc/passwd', null, '--url must be an address'],
    ['http://localhost:5000', '/nowhere/token', '--token-file cannot be read: ENOENT'],
    ['http://localhost:5000', '/dev/null', '--token-file /dev/null is empty'],
  ])('is not looked for at %s with the token of %s', async (url, file, message) => {
    await expect(examine(url, file)).rejects.toMatchObject({ code: 'bad_request', message: expect.stringContaining(message) as string });
    await expect(examine(url, file)).rejects.not.toMatchObject({ message: expect.stringContaining('secret') as string });
  });
});

describe('of what a server tells', () => {
  it('a camera that is away is told, with its code\'s advice, and fails nothing while others work', async () => {
    const last_error = { code: 'stream_auth', message: 'no', at: ago(1) };
    const { lines, fails } = await wrong({ streams: await streams({ good: {}, away: { state: 'failed', reason: '401 Unauthorized', last_frame_at: ago(600), last_error } }) });
    expect(lines).toEqual([
      'streams: 2 in all: 1 running, 1 failed; 1 in trouble -> see below',
      'stream: away: failed, no picture for 10 min: 401 Unauthorized -> check user name and password',
    ]);
    expect(fails).toBe(false);
  });

  it('the ten that are away for longest are told, and it fails when all are', async () => {
    const away = Object.fromEntries(Array.from({ length: 30 }, (_, number): [string, Partial<StreamStatus>] => [`CAM-${number}`, { state: 'reconnecting', last_frame_at: ago(100 + number) }]));
    const { lines, fails } = await wrong({ streams: await streams(away) });
    expect(lines.slice(1).map((line) => line.split(': ')[1])).toEqual([29, 28, 27, 26, 25, 24, 23, 22, 21, 20].map((number) => `CAM-${number}`));
    expect(fails).toBe(true);
  });

  it('one that failed and is not tried again fails nothing while another works, and all when none does', async () => {
    const ended: Partial<StreamStatus> = { state: 'failed', capturing: false, reason: 'its frames cannot be stored', last_frame_at: ago(600) };
    expect((await wrong({ streams: await streams({ good: {}, ended }) })).fails).toBe(false);
    expect((await wrong({ streams: await streams({ ended }) })).fails).toBe(true);
    expect((await wrong({ streams: [] })).fails).toBe(false);
    // It does what it is to do.
    const asleep: Partial<StreamStatus> = { state: 'asleep', capturing: false, last_frame_at: ago(9999) };
    expect(await wrong({ streams: await streams({ asleep }) })).toEqual({ lines: [], fails: false });
    expect((await wrong({ streams: await streams({ asleep, ended }) })).fails).toBe(false);
  });

  it('a picture that is late is trouble, one that is due is not, nor is a stream that is stopped or just begins', async () => {
    const slow = { options: { ...(await streams({ a: {} }))[0]?.options, interval_seconds: 60 } as StreamStatus['options'] };
    const { lines } = await wrong({
      streams: await streams({
        due: { last_frame_at: ago(8) }, slow: { ...slow, last_frame_at: ago(100) }, begins: { state: 'starting', last_frame_at: null, since: ago(20) },
        stopped: { state: 'stopped', capturing: false, enabled: false, last_frame_at: ago(9999) },
        late: { last_frame_at: ago(11), reason: 'capturing (keyframes)' }, never: { state: 'starting', last_frame_at: null, since: ago(90), reason: 'connecting' },
      }),
    });
    expect(lines.slice(1)).toEqual([
      'stream: never: no picture yet, starting for 90 s: connecting -> check the camera and the network',
      'stream: late: running, no picture for 11 s: capturing (keyframes) -> check the camera and the network',
    ]);
  });

  it('a model is told that a stream wants and that lacks its weights, or failed; no other', async () => {
    const own = await streams({ a: {} });
    expect(await wrong({ streams: own, models: await models() })).toEqual({ lines: [], fails: false });
    expect(await wrong({ streams: own, models: await models({ missing: 'put a .pt file into models/animals' }) })).toEqual({
      lines: ['model: animals: put a .pt file into models/animals -> put it there; it is tried again by itself'], fails: true,
    });
    expect((await wrong({ streams: own, models: await models({ state: 'failed', reason: 'its runner ended', restarts: 5 }) })).lines).toEqual([
      'model: animals: its runner ended; its runner ended 5 times -> see what it printed: GET /api/models/animals/log',
    ]);
  });

  it('overload is told with its share and what to do, and fails nothing', async () => {
    const { lines, fails } = await wrong({ streams: await streams({ a: {} }), models: await models({ looks: { looked: 60, failed: 0, skipped: { late: 5, overloaded: 35 } } }) });
    expect(lines).toEqual(['looks: animals looked at 60 % of 100 frames, 35 % overloaded, 5 % late -> give the model more speed or instances, or cameras a longer interval']);
    expect(fails).toBe(false);
  });

  it('a disk that fills up is told, and books that do not balance', async () => {
    const storage: Told['storage'] = [{ folder: 'data', free_bytes: 1e9, size_bytes: 1e12, free_inodes: 5 }, { folder: 'frames', free_bytes: 1e9, size_bytes: 8e9, free_inodes: 0 }];
    expect((await wrong({ storage })).lines).toEqual([
      'data disk: 1.0 GB of 1000.0 GB free -> make room: records, evidence and environments need it',
      'frames disk: 1.0 GB of 8.0 GB free, but no file can be made -> make room: records, evidence and environments need it',
    ]);
    expect(await wrong({ books: { captured: 11, recorded: 5, dead_lettered: 1, dropped: { late: 2 }, in_spool: 2 } })).toMatchObject({
      lines: [expect.stringContaining('11 frames captured = 5 recorded + 1 dead letters + 2 dropped (2 late) + 2 in the spool -> they do not balance')], fails: true,
    });
  });
});
