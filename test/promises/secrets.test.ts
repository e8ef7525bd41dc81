/** Random passwords of cameras go through the whole server, to cameras that send on to a stranger; nobody hears or keeps them. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { StreamStatus } from '../../src/types.ts';
import { until } from '../helpers/app.ts';
import { descendants } from '../helpers/process-tree.ts';
import { startServer } from '../helpers/server-process.ts';
import { inFull, tellFigure } from './figures.ts';

const CAMERAS = inFull ? 300 : 12;
/** Where addresses must be kept, for the next start. */
const KEPT = 'streams.json';

interface Peer {
  readonly port: number;
  readonly heard: () => string;
  readonly close: () => void;
}

/** Answers every request so, whoever asks; `#` stands for its number. */
async function peer(answer: string): Promise<Peer> {
  let heard = '';
  const server = createServer((socket) => {
    socket.on('error', () => undefined).on('data', (bytes: Buffer) => {
      const text = bytes.toString('latin1');
      heard += text;
      for (const [, number = ''] of text.matchAll(/^cseq: *(\d+)/gim)) socket.write(answer.replace('#', number));
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { port: (server.address() as AddressInfo).port, heard: () => heard, close: () => { server.close(); } };
}

/** As people choose them: some with what an address must escape. */
function secret(index: number): string {
  const plain = randomBytes(9).toString('hex');
  return ['', '/', '#', '?', '@', ' ', 'ü', '%', '&', ':'].map((odd) => `${plain.slice(0, 9)}${odd}${plain.slice(9)}`)[index % 10] ?? plain;
}

async function filesIn(folder: string): Promise<readonly string[]> {
  return (await readdir(folder, { recursive: true, withFileTypes: true })).filter((one) => one.isFile() && one.name !== KEPT).map((one) => join(one.parentPath, one.name));
}

it(`none of ${CAMERAS} random passwords is in an answer, the log, a file or a process, or heard by a stranger`, async ({ onTestFinished }) => {
  const folder = await mkdtemp(join(tmpdir(), 'lookout-secrets-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const stranger = await peer('RTSP/1.0 401 Unauthorized\r\nCSeq: #\r\nWWW-Authenticate: Basic realm="stranger"\r\n\r\n');
  onTestFinished(stranger.close);
  const moving = await peer(`RTSP/1.0 302 Moved\r\nCSeq: #\r\nLocation: rtsp://127.0.0.1:${stranger.port}/elsewhere\r\n\r\n`);
  onTestFinished(moving.close);
  const server = await startServer({ folder, flags: ['--log-level', 'debug'] });
  onTestFinished(() => { server.kill('SIGKILL'); });

  const secrets = Array.from({ length: CAMERAS }, (_, index) => secret(index));
  let answers = '';
  const say = async (path: string, body?: object): Promise<void> => { answers += JSON.stringify(await server.ask(path, body)); };
  const seen: string[] = [];
  for (const [index, password] of secrets.entries()) {
    const [port, path] = index % 3 === 0 ? [9, 'x'] : [moving.port, 'x'];
    await say('/start_stream', { camera_id: `CAM-${index}`, rtsp_url: `rtsp://admin:${encodeURIComponent(password)}@127.0.0.1:${port}/${path}`, model_name: ['motion'] });
  }
  const streams = async (): Promise<readonly StreamStatus[]> => ((await server.ask('/api/streams')) as { streams: readonly StreamStatus[] }).streams;
  await until(async () => {
    // While they run: what they were told by their arguments and their environment.
    for (const { pid } of descendants(server.pid)) for (const file of ['cmdline', 'environ']) seen.push(await readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => ''));
    return (await streams()).every(({ last_error }) => last_error !== null);
  }, 60_000 + CAMERAS * 1000, () => server.output().slice(-2000));
  for (const path of ['/api/streams', '/api/streams/CAM-1', '/api/models', '/readyz']) await say(path);
  answers += await (await fetch(`${server.url}/metrics`)).text();
  expect(stranger.heard()).toContain('/elsewhere');
  expect(await server.stop()).toBe(0);

  const places: Readonly<Record<string, string>> = {
    answers, log: server.output(), processes: seen.join('\n'), stranger: stranger.heard(),
    ...Object.fromEntries(await Promise.all((await filesIn(folder)).map(async (file) => [file, await readFile(file, 'latin1')] as const))),
  };
  const forms = (password: string): readonly string[] => [password, encodeURIComponent(password), Buffer.from(`admin:${password}`).toString('base64'), password.slice(0, 9)];
  const leaks = Object.entries(places).flatMap(([place, text]) => secrets.filter((password) => forms(password).some((form) => text.includes(form))).map((password) => `${place}: ${password}`));
  expect(leaks).toEqual([]);
  expect(stranger.heard()).not.toMatch(/^authorization/im);
  tellFigure('secrets', `0 of ${CAMERAS} in ${Object.keys(places).length} places`);
}, 120_000 + CAMERAS * 2000);
