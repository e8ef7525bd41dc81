import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import cron from 'node-cron';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { streamFault } from '../../src/config/check.ts';
import { loadConfig } from '../../src/config/load.ts';
import { LookoutError } from '../../src/errors.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { createLog, silentLog } from '../../src/lib/log.ts';
import { openBooks, type Books } from '../../src/store/books.ts';
import { createSpool } from '../../src/store/spool.ts';
import { createStreamStore, type StoredStream } from '../../src/capture/stream-store.ts';
import { createStreams, type Streams } from '../../src/capture/streams.ts';
import type { Batch, ConfiguredStream, ModelState, Source, StartRequest } from '../../src/types.ts';
import { plenty } from '../helpers/plenty.ts';
import { createFakeSource, type FakeSource } from '../helpers/fake-source.ts';

const SOON = { timeout: 5000 };
const MODELS = ['animals', 'motion', 'potholes'];
const CAM: StartRequest = { camera_id: 'CAM-1', url: 'rtsp://u:secret@h/x', models: ['motion'] };

let folder: string;
let books: Books;
let source: FakeSource;
let submitted: Batch[];
/** Cameras that are captured no more. */
let halted: string[];
let wanted: string[];
let logged: string[];
let defaultModels: string[];
/** Times that it was asked which models there are. */
let catalogLooks: number;
let modelState: { state: ModelState; reason: string };
/** The models' folders are read by then. */
let modelsAreRead: Promise<void>;
/** Why the disk gives no answer. */
let silence: LookoutError | null;
/** Cameras of the second scheme bring their pictures. */
let pushes: boolean;
const open: Streams[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lookout-streams-'));
  await mkdir(join(folder, 'data'));
  books = await openBooks(folder);
  source = createFakeSource();
  [submitted, wanted, logged, halted] = [[], [], [], []];
  defaultModels = ['animals'];
  catalogLooks = 0;
  silence = null;
  pushes = false;
  modelState = { state: 'ready', reason: 'planned' };
  modelsAreRead = Promise.resolve();
});
afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(open.splice(0).map((streams) => streams.close()));
  await books.close();
  await rm(folder, { recursive: true, force: true });
});

/** All streams of one run of Lookout, in which nothing of lookout.yaml and streams.json runs yet. */
async function begin(streams: readonly ConfiguredStream[] = [], allow_schemes: readonly string[] = [], flags: Readonly<Record<string, unknown>> = {}): Promise<Streams> {
  const { config } = await loadConfig({ flags: { time_zone: 'UTC', ...flags }, env: {}, cwd: folder });
  const spool = createSpool(config.frames_dir);
  const made = await createStreams({
    config: { ...config, allow_schemes, streams },
    sources: new Map<string, Source>([['rtsp', source], ['file', { ...source, needsLeave: true, ...(pushes ? { push: { take: () => Promise.resolve('taken'), called: () => Promise.resolve() } } : {}) }]]),
    stopped: (id) => { halted.push(id); },
    store: createStreamStore({ data_dir: config.data_dir, faultOf: streamFault, log: silentLog }),
    knownModels: () => {
      catalogLooks += 1;
      return modelsAreRead.then(() => MODELS);
    },
    defaultModels,
    stream: {
      spool, books, room: { ...plenty, get silence() { return silence; } }, clock: systemClock, pacer: { busy: false, turn: () => Promise.resolve() }, log: createLog({ level: 'debug', format: 'text', write: (line) => logged.push(line) }),
      offer: () => undefined, closed: () => undefined,
      submit: (batch) => {
        submitted.push(batch);
        return Promise.resolve();
      },
      wanted: (model) => { wanted.push(model); },
    },
    facts: { books: (id) => books.of(id), queued: () => 2, modelState: () => modelState, records: () => ({ records: 0, last_record_at: null }) },
  });
  open.push(made);
  return made;
}

async function restored(...words: Parameters<typeof begin>): Promise<Streams> {
  const streams = await begin(...words);
  streams.begin();
  return streams;
}

/** A later run: the streams of the earlier one have stopped with it. */
async function anotherRun(streams: Streams, ...words: Parameters<typeof begin>): Promise<Streams> {
  await streams.close();
  return restored(...words);
}

const stored = async (): Promise<StoredStream[]> => JSON.parse(await readFile(join(folder, 'data/streams.json'), 'utf8')) as StoredStream[];
const connected = (...ids: readonly string[]): Promise<void> => expect.poll(() => [...source.connected()].sort(), SOON).toEqual(ids);

describe('starting a stream', () => {
  it('captures, wants its models, and is remembered for its owner\'s eyes only', async () => {
    const streams = await begin();
    expect(await streams.start({ ...CAM, models: ['motion', 'animals'], options: { batch_size: 5 } })).toBe('started');
    await connected('CAM-1');
    expect(wanted).toEqual(['motion', 'animals']);
    expect(await stored()).toEqual([{ camera_id: 'CAM-1', url: CAM.url, models: ['motion', 'animals'], options: { batch_size: 5 }, enabled: true }]);
    expect((await stat(join(folder, 'data/streams.json'))).mode & 0o777).toBe(0o600);
  });

  it('says when it runs already, whether its id is sent as a number or as text', async () => {
    const streams = await begin();
    expect(await Promise.all([streams.start({ ...CAM, camera_id: 7 }), streams.start({ ...CAM, camera_id: '7' })])).toEqual(['started', 'already_running']);
    expect(await streams.start({ ...CAM, camera_id: 7, url: 'file:///forbidden' })).toBe('already_running');
    expect(streams.list()).toHaveLength(1);
    expect(streams.get('7')?.camera_id).toBe(7);
  });

  it('takes what was not said from the settings', async () => {
    const streams = await begin();
    await streams.start({ camera_id: 'CAM-1', url: CAM.url, options: { interval_seconds: 6 } });
    await connected('CAM-1');
    expect(source.opened[0]).toEqual({
      camera_id: 'CAM-1', url: CAM.url, trusted: false, models: ['animals'],
      options: { interval_seconds: 6, batch_size: 10, batch_deadline_seconds: 120, capture_mode: 'auto', transport: 'tcp', video_track: 1, tls: 'verify', duration_seconds: null, clips: false, on_demand: false, linger_seconds: 30 },
    });
  });

  it('asks a model once that is named twice', async () => {
    const streams = await begin();
    await streams.start({ ...CAM, models: ['motion', 'motion'] });
    await connected('CAM-1');
    expect(source.opened[0]?.models).toEqual(['motion']);
  });

  it.each([
    ['a model that nobody knows', { models: ['motion', 'cats', 'dogs'] }, 'unknown_model', "unknown models 'cats', 'dogs'; known: animals, motion, potholes"],
    ['a file', { url: 'file:///etc/passwd' }, 'forbidden_scheme', 'the scheme file are not allowed, only rtsp; the setting allow_schemes opens file'],
    ['a plain path', { url: '/etc/passwd' }, 'forbidden_scheme', 'the scheme file '],
    ['a scheme that is allowed and unknown', { url: 'http://h/x' }, 'forbidden_scheme', 'the scheme http '],
    ['a mistyped model', { models: ['motoin'] }, 'unknown_model', "unknown model 'motoin' (did you mean motion?); known: "],
  ])('refuses %s, and remembers nothing of it', async (_what, change, code, message) => {
    const streams = await begin();
    await expect(streams.start({ ...CAM, ...change })).rejects.toMatchObject({ code, message: expect.stringContaining(message) as string });
    expect(streams.list()).toEqual([]);
    expect(source.opened).toEqual([]);
  });

  it('is refused where its address leads to the cloud or to Lookout itself, unless allow_hosts or lookout.yaml names it', async () => {
    const metadata = 'rtsp://169.254.169.254/x';
    const places = [metadata, 'rtsp://[::ffff:a9fe:a9fe]/x', 'rtsp://0x7f.1:5000/x', 'rtsp://metadata.google.internal/'];
    const streams = await begin([{ camera_id: 'YAML', url: metadata }]);
    streams.begin();
    for (const url of places) await expect(streams.start({ ...CAM, url })).rejects.toMatchObject({ code: 'forbidden_address', status: 400 });
    await connected('YAML');
    expect(source.opened[0]).toMatchObject({ url: metadata, trusted: true });
    for (const url of places.slice(1)) await expect(streams.change('YAML', { url })).rejects.toMatchObject({ code: 'forbidden_address' });
    // Who changes it to another has sent it over HTTP.
    await streams.change('YAML', { url: 'rtsp://h/other' });
    await expect.poll(() => source.opened.at(-1), SOON).toMatchObject({ url: 'rtsp://h/other', trusted: false });
    const allowing = await anotherRun(streams, [], [], { allow_hosts: ['169.254.0.0/16'] });
    expect(await allowing.start({ ...CAM, url: metadata })).toBe('started');
  });

  it('is refused where as many are known as may be, until one is removed', async () => {
    const streams = await begin([], [], { max_streams: 2 });
    const together = await Promise.allSettled(['CAM-1', 'CAM-2', 'CAM-4'].map((camera_id) => streams.start({ ...CAM, camera_id })));
    expect(together.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    await streams.stop('CAM-1');
    const third = { ...CAM, camera_id: 'CAM-3' };
    await expect(streams.start(third)).rejects.toMatchObject({ code: 'too_many_streams', message: '2 streams are known, and max_streams is 2' });
    expect(await streams.start(CAM)).toBe('started');
    await streams.remove('CAM-2');
    expect(await streams.start(third)).toBe('started');
  });

  it('opens other schemes when they are allowed', async () => {
    const streams = await begin([], ['file']);
    expect(await streams.start({ ...CAM, url: 'file:///clip.mp4' })).toBe('started');
  });
});

describe('stopping a stream', () => {
  it('closes its batch and stays stopped in later runs', async () => {
    const streams = await begin();
    await streams.start(CAM);
    await connected('CAM-1');
    await source.emit('CAM-1');
    expect(await streams.stop('CAM-1')).toBe('stopped');
    expect(submitted).toMatchObject([{ closed_by: 'stopped' }]);
    expect(streams.get('CAM-1')).toMatchObject({ state: 'stopped', reason: 'stopped by request', enabled: false, capturing: false });
    expect(await streams.stop('CAM-1')).toBe('not_running');
    const later = await anotherRun(streams);
    expect(later.get('CAM-1')).toMatchObject({ state: 'stopped', enabled: false });
    expect(await later.start(CAM)).toBe('started');
    await connected('CAM-1');
    expect(source.opened).toHaveLength(2);
  });

  it('is not needed for one that nobody knows', async () => {
    expect(await (await begin()).stop('CAM-9')).toBe('not_running');
  });

  it('is done by itself when its time is over, for good', async () => {
    const streams = await begin();
    await streams.start({ ...CAM, options: { duration_seconds: 0.2 } });
    await expect.poll(() => streams.get('CAM-1'), SOON).toMatchObject({ state: 'stopped', reason: 'its 0.2 s are over', enabled: false });
    await expect.poll(stored, SOON).toMatchObject([{ enabled: false }]);
    expect(halted).toEqual(['CAM-1']);
    expect((await anotherRun(streams)).get('CAM-1')?.state).toBe('stopped');
  });

  it('stays done where its time is over while a change is checked', async () => {
    const streams = await begin();
    await streams.start({ ...CAM, options: { duration_seconds: 0.2 } });
    let goOn = (): void => undefined;
    modelsAreRead = new Promise((resolve) => { goOn = resolve; });
    const changed = streams.change('CAM-1', { models: ['animals'] });
    await expect.poll(() => streams.get('CAM-1')?.enabled, SOON).toBe(false);
    goOn();
    expect(await changed).toMatchObject({ state: 'stopped', enabled: false, capturing: false });
    expect(await streams.change('CAM-1', { enabled: true })).toMatchObject({ enabled: true, capturing: true });
  });

  it('is done when its time since its start is over, whatever restarted it; another duration counts from now', async () => {
    const streams = await begin();
    await streams.start({ ...CAM, options: { duration_seconds: 60 } });
    const [{ started_at = '' } = {}] = await stored();
    expect(Math.abs(Date.parse(started_at) - Date.now())).toBeLessThan(5000);
    await streams.change('CAM-1', { options: { interval_seconds: 5 } });
    const later = await anotherRun(streams);
    await later.change('CAM-1', { models: ['animals'] });
    expect(await stored()).toMatchObject([{ started_at }]);
    await later.change('CAM-1', { options: { duration_seconds: 90 } });
    const [{ started_at: anew = '' } = {}] = await stored();
    expect(anew > started_at).toBe(true);
    await later.close();
    const rewrite = async (change: object): Promise<void> => writeFile(join(folder, 'data/streams.json'), JSON.stringify((await stored()).map((one) => ({ ...one, ...change }))));
    await rewrite({ started_at: undefined });
    const older = await restored();
    await expect.poll(stored, SOON).toMatchObject([{ started_at: expect.any(String) as string }]);
    await older.close();
    await rewrite({ started_at: '2026-07-01T12:00:00.000Z' });
    const last = await restored();
    await expect.poll(() => last.get('CAM-1'), SOON).toMatchObject({ state: 'stopped', reason: 'its 90 s are over', enabled: false });
    expect(await last.change('CAM-1', { enabled: true })).toMatchObject({ state: 'starting' });
  });
});

describe('a later run', () => {
  it('brings back what ran, ids as they were sent', async () => {
    const streams = await begin();
    await streams.start({ ...CAM, camera_id: 7, options: { interval_seconds: 5 } });
    await connected('7');
    const later = await anotherRun(streams);
    await connected('7');
    expect(later.get('7')).toMatchObject({ camera_id: 7, origin: 'api', enabled: true, options: { interval_seconds: 5 } });
  });

  it('starts what lookout.yaml names, which wins by camera', async () => {
    const streams = await begin();
    await streams.start({ ...CAM, camera_id: 'both' });
    await streams.start({ ...CAM, camera_id: 'api' });
    await connected('api', 'both');
    const later = await anotherRun(streams, [
      { camera_id: 'both', url: 'rtsp://yaml/x', models: ['motion'] }, { camera_id: 'file', url: 'file:///clip.mp4' }, { camera_id: 'off', url: 'rtsp://yaml/y', enabled: false },
    ]);
    await connected('api', 'both', 'file');
    expect(later.list().map(({ camera_id, origin, url, models, state }) => [camera_id, origin, url, models, state])).toEqual([
      ['both', 'yaml', 'rtsp://yaml/x', ['motion'], 'starting'], ['api', 'api', 'rtsp://***@h/x', ['motion'], 'starting'],
      ['file', 'yaml', 'file:///clip.mp4', ['animals'], 'starting'], ['off', 'yaml', 'rtsp://yaml/y', ['animals'], 'stopped'],
    ]);
  });

  it('never writes lookout.yaml\'s streams into streams.json', async () => {
    const streams = await restored([{ camera_id: 'yaml', url: 'rtsp://yaml/x' }]);
    await connected('yaml');
    await streams.stop('yaml');
    await streams.start({ ...CAM, camera_id: 'yaml' });
    await streams.start(CAM);
    expect(streams.get('yaml')?.origin).toBe('yaml');
    expect((await stored()).map(({ camera_id }) => camera_id)).toEqual(['CAM-1']);
  });

  it('leaves alone what was asked for before it began', async () => {
    const streams = await begin();
    await streams.start(CAM);
    await streams.close();
    const later = await begin();
    expect(await later.start({ ...CAM, models: ['potholes'] })).toBe('started');
    later.begin();
    await connected('CAM-1');
    expect(source.opened.slice(-1)).toMatchObject([{ models: ['potholes'] }]);
    expect(await later.stop('CAM-1')).toBe('stopped');
    expect(source.connected()).toEqual([]);
  });

  it('does without a stream whose scheme is allowed no more', async () => {
    const streams = await begin([], ['file']);
    await streams.start({ ...CAM, camera_id: 'file', url: 'file:///clip.mp4' });
    await streams.start(CAM);
    await connected('CAM-1', 'file');
    const later = await anotherRun(streams);
    await connected('CAM-1');
    expect(later.get('file')).toMatchObject({ state: 'stopped', enabled: true, reason: expect.stringContaining('scheme file') as string });
    expect(logged.join('')).toMatch(/ error .*file is not started .*scheme file are not allowed/);
    expect(await later.stop('file')).toBe('stopped');
    expect((await stored()).find(({ camera_id }) => camera_id === 'file')?.enabled).toBe(false);
  });

  it('does not begin with a stream of lookout.yaml that cannot be', async () => {
    const wrong = [{ camera_id: 'a', url: 'rtsp://h/x', models: ['cats'] }, { camera_id: 'b', url: 'rtsp://h/y' }, { camera_id: 'c', url: 'rtps://h/x' }];
    await expect(restored(wrong)).rejects.toMatchObject({
      code: 'config_invalid', message: expect.stringMatching(/\nstreams\[0\]: unknown model 'cats'; known: .*\nstreams\[2\]: URLs of the scheme rtps \(did you mean rtsp\?\) are not allowed, only rtsp, file$/) as string,
    });
    expect(catalogLooks).toBe(1);
  });

  it('does not begin with default models that nobody knows, and says so once', async () => {
    defaultModels = ['animal'];
    await expect(restored([{ camera_id: 'a', url: 'rtsp://h/x' }])).rejects.toMatchObject({
      code: 'config_invalid', message: "these settings need correction:\ndefault_models: unknown model 'animal' (did you mean animals?); known: animals, motion, potholes",
    });
  });
});

describe('changing a stream', () => {
  it('restarts it with what was changed, beside what was not', async () => {
    const streams = await begin();
    await streams.start({ ...CAM, options: { interval_seconds: 5 } });
    await connected('CAM-1');
    await source.emit('CAM-1');
    const changed = await streams.change('CAM-1', { models: ['potholes'], options: { batch_size: 2 } });
    expect(changed).toMatchObject({ models: ['potholes'], url: 'rtsp://***@h/x', options: { interval_seconds: 5, batch_size: 2 } });
    expect(submitted).toMatchObject([{ closed_by: 'stopped', models: ['motion'] }]);
    await connected('CAM-1');
    expect(source.opened).toHaveLength(2);
    expect(wanted).toEqual(['motion', 'potholes']);
    expect(halted).toEqual([]);
    expect(await stored()).toMatchObject([{ models: ['potholes'], options: { interval_seconds: 5, batch_size: 2 } }]);
  });

  it('goes on counting how often it was reconnected', async () => {
    const streams = await restored();
    await streams.start(CAM);
    await connected('CAM-1');
    const reconnects = (): number | undefined => streams.get('CAM-1')?.reconnects;
    source.end('CAM-1');
    await expect.poll(reconnects, SOON).toBe(1);
    await streams.change('CAM-1', { models: ['animals'] });
    expect(reconnects()).toBe(1);
    await streams.stop('CAM-1');
    await streams.start(CAM);
    expect(reconnects()).toBe(1);
  });

  it('lets it go on where nothing of it changed, and remembers what was asked', async () => {
    const streams = await begin();
    await streams.start({ ...CAM, models: ['motion'] });
    await connected('CAM-1');
    const { session } = streams.get('CAM-1') ?? {};
    for (const change of [
      {}, { enabled: true }, { models: ['motion'] }, { models: ['motion', 'motion'] }, { url: 'rtsp://u:secret@h/x' }, { url: 'rtsp://***@h/x' }, { options: {} },
      { options: { transport: 'tcp', capture_mode: 'auto', video_track: 1, tls: 'verify', duration_seconds: null, clips: false, batch_deadline_seconds: 60 } }, { options: { interval_seconds: 3, batch_size: 10 } },
    ] as const) {
      expect(await streams.change('CAM-1', change), JSON.stringify(change)).toMatchObject({ session, capturing: true });
    }
    expect(source.opened).toHaveLength(1);
    expect(submitted).toEqual([]);
    const { options } = streams.get('CAM-1') ?? {};
    expect(streams.list()[0]?.options, 'not worked out anew').toBe(options);
    expect(await stored()).toMatchObject([{ url: 'rtsp://u:secret@h/x', models: ['motion'], options: { interval_seconds: 3, batch_size: 10 } }]);
    await streams.change('CAM-1', { options: { interval_seconds: 4 } });
    await connected('CAM-1');
    expect(source.opened).toHaveLength(2);
  });

  it('keeps the login of an address that is sent back as it was shown, also by a start', async () => {
    const streams = await begin();
    await streams.start(CAM);
    await streams.stop('CAM-1');
    await streams.start({ ...CAM, url: streams.get('CAM-1')?.url ?? '' });
    expect(await stored()).toMatchObject([{ url: CAM.url }]);
    await streams.change('CAM-1', { url: 'rtsp://***@elsewhere/x' });
    expect(await stored()).toMatchObject([{ url: 'rtsp://***@elsewhere/x' }]);
  });

  it('disables and enables it', async () => {
    const streams = await begin();
    await streams.start(CAM);
    await connected('CAM-1');
    expect(await streams.change('CAM-1', { enabled: false })).toMatchObject({ state: 'stopped', reason: 'stopped by request', enabled: false });
    expect(halted).toEqual(['CAM-1']);
    expect(await streams.change('CAM-1', { enabled: true })).toMatchObject({ state: 'starting', enabled: true });
    await connected('CAM-1');
  });

  it('changes nothing when it is refused', async () => {
    const streams = await restored([{ camera_id: 'yaml', url: 'file:///clip.mp4' }]);
    await connected('yaml');
    for (const change of [{ models: ['cats'] }, { url: 'gopher://h' }, { url: 'file:///etc/passwd' }]) await expect(streams.change('yaml', change)).rejects.toThrow();
    expect(source.opened).toHaveLength(1);
    expect(await streams.change('yaml', { options: { interval_seconds: 9 } })).toMatchObject({ url: 'file:///clip.mp4', options: { interval_seconds: 9 } });
  });

  it('waits for another change, and a stop for both', async () => {
    const streams = await begin();
    await streams.start(CAM);
    await connected('CAM-1');
    const changes = [streams.change('CAM-1', { options: { batch_size: 2 } }), streams.change('CAM-1', { models: ['potholes'] })];
    expect(await streams.stop('CAM-1')).toBe('stopped');
    expect(await Promise.all(changes)).toMatchObject([{ options: { batch_size: 2 } }, { options: { batch_size: 2 }, models: ['potholes'] }]);
    expect(streams.get('CAM-1')).toMatchObject({ state: 'stopped', enabled: false, models: ['potholes'], options: { batch_size: 2 } });
    expect(source.connected()).toEqual([]);
  });

  it('starts nothing any more while Lookout stops', async () => {
    const streams = await begin();
    await streams.start(CAM);
    await connected('CAM-1');
    const changing = expect(streams.change('CAM-1', { models: ['potholes'] })).rejects.toMatchObject({ code: 'shutting_down' });
    await streams.close();
    await changing;
    await expect(streams.start({ ...CAM, camera_id: 'CAM-2' })).rejects.toMatchObject({ code: 'shutting_down' });
    expect(source.connected()).toEqual([]);
    expect(await stored()).toMatchObject([{ models: ['motion'], enabled: true }]);
    expect(streams.get('CAM-1')).toMatchObject({ state: 'stopped', reason: 'Lookout is stopping' });
  });

  it('is refused for one that nobody knows', async () => {
    await expect((await begin()).change('CAM-9', {})).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('removing a stream', () => {
  it('closes its batch and forgets it, in later runs too', async () => {
    const streams = await begin();
    await streams.start(CAM);
    await streams.start({ ...CAM, camera_id: 'CAM-2' });
    await connected('CAM-1', 'CAM-2');
    await source.emit('CAM-1');
    await streams.remove('CAM-1');
    expect(halted).toEqual(['CAM-1']);
    await connected('CAM-2');
    expect(submitted).toMatchObject([{ camera_id: 'CAM-1', closed_by: 'stopped' }]);
    expect([streams.get('CAM-1'), streams.latest('CAM-1')]).toEqual([null, null]);
    expect(await stored()).toMatchObject([{ camera_id: 'CAM-2' }]);
    expect((await anotherRun(streams)).list()).toMatchObject([{ camera_id: 'CAM-2' }]);
  });

  it('waits for what was asked before, and what is asked after begins anew', async () => {
    const streams = await begin();
    const asked = [streams.start(CAM), streams.remove('CAM-1'), streams.start({ ...CAM, models: ['potholes'] })];
    expect(await Promise.all(asked)).toEqual(['started', undefined, 'started']);
    await connected('CAM-1');
    expect(streams.list()).toMatchObject([{ models: ['potholes'], capturing: true }]);
  });

  it('is refused for one of lookout.yaml and for one that nobody knows', async () => {
    const streams = await restored([{ camera_id: 'yaml', url: 'rtsp://yaml/x' }]);
    await connected('yaml');
    await expect(streams.remove('yaml')).rejects.toMatchObject({ code: 'bad_request', message: "the stream of camera 'yaml' stands in lookout.yaml; remove it from there" });
    await expect(streams.remove('CAM-9')).rejects.toMatchObject({ code: 'not_found' });
    expect(source.connected()).toEqual(['yaml']);
  });
});

it('a stream runs though it could not be stored, and the log says so', async () => {
  const streams = await begin();
  await mkdir(join(folder, 'data/streams.json'), { recursive: true });
  expect(await streams.start(CAM)).toBe('started');
  await connected('CAM-1');
  expect(logged.join('')).toContain('could not be stored');
});

describe('hours of work', () => {
  it('start and stop a stream', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval'], now: Date.parse('2026-07-01T07:59:30Z') });
    const streams = await restored([{ camera_id: 'yaml', url: 'rtsp://h/x', schedule: '* 8 * * *' }]);
    expect(streams.get('yaml')).toMatchObject({ state: 'stopped', reason: 'outside its hours of work', enabled: true, schedule: '* 8 * * *' });
    vi.advanceTimersByTime(60_000);
    await connected('yaml');
    await source.emit('yaml');
    vi.setSystemTime(Date.parse('2026-07-01T08:59:55Z'));
    vi.advanceTimersByTime(10_000);
    await expect.poll(() => streams.get('yaml'), SOON).toMatchObject({ state: 'stopped', reason: 'outside its hours of work', enabled: true });
    expect(submitted).toMatchObject([{ closed_by: 'stopped' }]);
    await expect.poll(() => halted, SOON).toEqual(['yaml']);
  });

  it('are told to one who starts it outside of them', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval'], now: Date.parse('2026-07-01T07:00:00Z') });
    const streams = await restored([{ camera_id: 'yaml', url: 'rtsp://h/x', schedule: '* 8 * * *' }]);
    // A minute is worked out once, however many look.
    const tasks = vi.spyOn(cron, 'createTask');
    for (let look = 0; look < 10; look += 1) expect(streams.list()).toMatchObject([{ reason: 'outside its hours of work' }]);
    expect(tasks).not.toHaveBeenCalled();
    tasks.mockRestore();
    await expect(streams.start({ ...CAM, camera_id: 'yaml' })).rejects.toMatchObject({ code: 'bad_request', message: expect.stringContaining('outside its hours of work (* 8 * * *)') as string });
    expect(source.opened).toEqual([]);
  });

  it('are the reason, whatever ended it before, and no longer once it was stopped', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval'], now: Date.parse('2026-07-01T08:10:00Z') });
    const streams = await restored([{ camera_id: 'yaml', url: 'rtsp://h/x', schedule: '* 8 * * *' }]);
    await connected('yaml');
    await streams.stop('yaml');
    expect(streams.get('yaml')).toMatchObject({ state: 'stopped', reason: 'stopped by request' });
    vi.setSystemTime(Date.parse('2026-07-01T20:00:00Z'));
    expect(await streams.change('yaml', { enabled: true })).toMatchObject({ state: 'stopped', reason: 'outside its hours of work' });
    expect(await streams.change('yaml', { enabled: false })).toMatchObject({ state: 'stopped', reason: 'stopped by request' });
  });

  it('do not start what was stopped', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval'], now: Date.parse('2026-07-01T07:00:00Z') });
    const streams = await restored([{ camera_id: 'yaml', url: 'rtsp://h/x', schedule: '* 8 * * *' }]);
    expect(await streams.stop('yaml')).toBe('stopped');
    expect(streams.get('yaml')).toMatchObject({ reason: 'not started' });
    vi.setSystemTime(Date.parse('2026-07-01T08:30:00Z'));
    vi.advanceTimersByTime(60_000);
    expect(streams.get('yaml')?.state).toBe('stopped');
    expect(source.opened).toEqual([]);
  });
});

describe('a picture that a camera brings', () => {
  it('is taken, but not while the disk gives no answer: nobody is to hold it so long', async () => {
    pushes = true;
    const streams = await begin([], ['file']);
    await streams.start({ ...CAM, url: 'file:///brought' });
    const picture = { bytes: Buffer.alloc(1), captured_at: '2026-01-01T00:00:00.000Z', findings: [] };
    expect(await streams.push('CAM-1', picture)).toBe('taken');
    silence = new LookoutError('disk_failed', 'the disk gives no answer');
    await expect(streams.push('CAM-1', picture)).rejects.toMatchObject({ code: 'disk_failed', message: 'the disk gives no answer' });
    expect(() => { streams.expectTakesPush('CAM-1'); }).toThrow('the disk gives no answer');
  });
});

describe('what the outside sees of a stream', () => {
  it('is its state, its counters and no password', async () => {
    const streams = await begin();
    await streams.start(CAM);
    await connected('CAM-1');
    await source.emit('CAM-1');
    expect(streams.get('CAM-1')).toMatchObject({
      camera_id: 'CAM-1', url: 'rtsp://***@h/x', origin: 'api', capturing: true, state: 'running', reason: 'capturing (keyframes)', capture_mode: 'keyframes',
      last_frame_age_seconds: expect.any(Number) as number, late_after_seconds: 18, open_batch: 1, queued: 2, books: { captured: 1, in_spool: 1 }, last_error: null,
    });
    expect(streams.latest('CAM-1')?.file).toMatch(/\.jpg$/);
    expect([streams.get('CAM-9'), streams.latest('CAM-9')]).toEqual([null, null]);
  });

  it.each([['provisioning', 'provisioning'], ['failed', 'failed'], ['ready', 'running'], ['idle', 'running']] as const)('is %s of its models where pictures come', async (state, shown) => {
    const streams = await begin();
    modelState = { state, reason: 'downloading' };
    await streams.start(CAM);
    await connected('CAM-1');
    expect(streams.get('CAM-1')?.state).toBe('starting');
    await source.emit('CAM-1');
    expect(streams.get('CAM-1')).toMatchObject({ state: shown, capturing: true, reason: shown === 'running' ? 'capturing (keyframes)' : 'downloading' });
  });
});
