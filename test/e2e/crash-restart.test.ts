/** What a server finds at its start, and leaves at its end: other people's files, stale ones, another server, open batches. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import type { BatchRecord, StreamStatus } from '../../src/types.ts';
import { startTestApp, until } from '../helpers/app.ts';
import { expectBalance, readBooksByName } from '../helpers/books-by-name.ts';
import { watchFrames } from '../helpers/frame-watcher.ts';
import { alive, descendants } from '../helpers/process-tree.ts';
import { runLookout, startServer, type ServerProcess } from '../helpers/server-process.ts';

const seeing = fileURLToPath(new URL('../fixtures/crash/seeing', import.meta.url));
const program = fileURLToPath(new URL('../fixtures/crash/one-shot.sh', import.meta.url));
/** Never answers. */
const HANGS = 'runtime: command\nentry: sh\nargs: [-c, "sleep 600; true"]\nversion: "1"\n';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lookout-restart-'));
  await mkdir(join(folder, 'models', 'watcher'), { recursive: true });
  await mkdir(join(folder, 'data'));
  await mkdir(join(folder, 'pictures'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function start(flags: readonly string[] = []): Promise<ServerProcess> {
  const server = await startServer({ folder, flags: ['--grace-seconds', '2', ...flags] });
  onTestFinished(() => server.kill9());
  return server;
}

/** A stream that shows a picture every 0.2 s and closes no batch by itself. */
async function startStream(server: ServerProcess): Promise<void> {
  await promisify(execFile)('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=size=160x90:rate=1', '-frames:v', '40', join(folder, 'pictures', '%02d.jpg')]);
  await server.ask('/start_stream', { camera_id: 'CAM', rtsp_url: pathToFileURL(join(folder, 'pictures')).href, model_name: 'watcher', interval_seconds: 0.2, batch_size: 100 });
  const stream = async (): Promise<StreamStatus> => await server.ask('/api/streams/CAM') as StreamStatus;
  await until(async () => (await stream()).open_batch >= 3, 20_000, server.output);
}

const records = async (): Promise<readonly BatchRecord[]> => JSON.parse(await readFile(join(folder, 'data', 'predictions.json'), 'utf8')) as BatchRecord[];

it('refuses the folders of a server that runs, naming its process, and takes over those of one that was killed, at once', async () => {
  const began = Date.now();
  const first = await start();
  const usualMs = Date.now() - began;
  const second = await runLookout(['serve', '--port', '0'], { folder });
  expect(await second.ended).toBe(1);
  expect(second.output()).toContain(`process ${first.pid}`);
  await first.kill9();
  const killed = Date.now();
  const server = await start();
  // A lock that a dead process keeps would hold it up for ten seconds.
  expect(Date.now() - killed - usualMs).toBeLessThan(8000);
  expect(await server.stop()).toBe(0);
});

it('leaves alone what is not its own, and sweeps what a crash left half written', async () => {
  const frames = join(folder, 'frames');
  const theirs = ['CAM_0123abcd/CAM_20260101T000000000000Z.jpg', 'holiday/beach.jpg', 'notes.txt', '.gitignore', 'other_0123abcd.tmp/precious.doc'];
  const stale = ['OLD_0123abcd.tmp/session.json.0123abcd.tmp', 'OURS_89abcdef/OURS_20260101T000000000000Z.jpg.tmp', 'OURS_89abcdef/latest.jpg'];
  for (const name of [...theirs, ...stale]) {
    await mkdir(join(frames, name, '..'), { recursive: true });
    await writeFile(join(frames, name), 'x');
  }
  await writeFile(join(frames, 'OURS_89abcdef', 'session.json'), JSON.stringify({ lookout: 1, name: 'OURS_89abcdef', camera_id: 'OURS', models: [], batch_size: 3, started_at: '' }));
  await writeFile(join(folder, 'data', 'books.ndjson.0123abcd.tmp'), 'x');
  const lookout = await startTestApp({}, folder);
  expect(lookout.app.face.books()).toMatchObject({ captured: 0, in_spool: 0 });
  await lookout.close();
  const left = (await readdir(frames, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(frames.length + 1));
  expect(left.sort()).toEqual(theirs.sort());
  expect(await readdir(join(folder, 'data'))).not.toContain('books.ndjson.0123abcd.tmp');
  expect(lookout.log()).toContain('4 entries');
});

it('flushes the open batch when it is told to stop, and says so in its record', async () => {
  await cp(seeing, join(folder, 'models', 'watcher'), { recursive: true });
  await writeFile(join(folder, 'models', 'watcher', 'model.yaml'), `runtime: command\nentry: ${program}\nargs: [all]\nversion: "1"\n`);
  const watcher = watchFrames(join(folder, 'frames'));
  onTestFinished(() => { watcher.close(); });
  // Time for the model to answer, also on a busy machine.
  const server = await start(['--allow-schemes', 'file', '--grace-seconds', '20']);
  await startStream(server);
  expect(await server.stop()).toBe(0);
  expect((await records()).map(({ batch }) => batch.closed_by)).toEqual(['stopped']);
  expect((await records())[0]?.batch.frames.map(({ file }) => file)).toEqual([...watcher.frames].sort());
});

it('leaves what no model has answered to the next start, and no process of its own', async () => {
  await writeFile(join(folder, 'models', 'watcher', 'model.yaml'), HANGS);
  const watcher = watchFrames(join(folder, 'frames'));
  onTestFinished(() => { watcher.close(); });
  const server = await start(['--allow-schemes', 'file']);
  await startStream(server);
  await server.ask('/stop_stream', { camera_id: 'CAM' });
  await until(() => descendants(server.pid).some(({ command }) => command === 'sleep'), 20_000, server.output);
  const children = descendants(server.pid);
  expect(await server.stop()).toBe(0);
  expect(alive(children)).toEqual([]);
  expect(await records()).toEqual([]);
  // The try that the stop cut short does not count.
  const manifest = (await readdir(join(folder, 'frames'), { recursive: true })).find((name) => /CAM_[0-9a-f]{8}-\w+\.json$/.test(name));
  expect(JSON.parse(await readFile(join(folder, 'frames', manifest ?? ''), 'utf8'))).toHaveProperty('attempts', 0);

  await writeFile(join(folder, 'models', 'watcher', 'model.yaml'), `runtime: command\nentry: ${program}\nargs: [all]\nversion: "2"\n`);
  const next = await startTestApp({}, folder);
  await until(() => next.app.face.books().in_spool === 0, 20_000, next.log);
  const books = next.app.face.books();
  await next.close();
  expectBalance(await readBooksByName(folder), watcher.frames, books);
  expect((await records()).map(({ batch }) => [batch.closed_by, batch.frames.length])).toEqual([['stopped', watcher.frames.size]]);
});
