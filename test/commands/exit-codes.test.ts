/** How the command line ends: 0 done, or of a server SIGTERM, 1 failure, 2 usage, 130 Ctrl-C, 143 SIGTERM; and what it says then. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { listSettings, meaningOf } from '../../src/config/settings.ts';
import { until } from '../helpers/app.ts';
import { command, type Ended } from '../helpers/command.ts';
import { runLookout, startServer, type ServerProcess } from '../helpers/server-process.ts';
import { PICTURE, testFolder } from '../store/folder.ts';

const folder = testFolder();

const lookout = (...words: readonly string[]): Promise<Ended> => command(words, { folder: folder.path });

async function serve(): Promise<ServerProcess> {
  const server = await startServer({ folder: folder.path });
  onTestFinished(() => server.kill9());
  return server;
}

/** A server with a batch at a model that never answers: it takes all of its grace to stop. */
async function serveStuck(): Promise<ServerProcess> {
  const files = {
    'models/stuck/model.yaml': 'runtime: node\nentry: model.mjs\n',
    'models/stuck/model.mjs': 'export const predict = () => new Promise((resolve) => setTimeout(resolve, 600_000));\n',
    'pictures/1.jpg': PICTURE,
    'data/lookout.yaml': JSON.stringify({ streams: [{
      camera_id: 'CAM', url: pathToFileURL(join(folder.path, 'pictures')).href, models: ['stuck'], options: { interval_seconds: 0.3, batch_size: 1 },
    }] }),
  };
  for (const [file, text] of Object.entries(files)) {
    await mkdir(join(folder.path, file, '..'), { recursive: true });
    await writeFile(join(folder.path, file), text);
  }
  const server = await serve();
  const busy = async (): Promise<boolean> => JSON.stringify(await server.ask('/api/models')).includes('"state":"busy"');
  await until(busy, 20_000, server.output);
  return server;
}

describe('a mistake on the command line or in the settings ends with 2', () => {
  it.each([
    [['serve', '--prot', '1'], 'unknown option'],
    [['srve'], 'unknown command'],
    [['demo', '--records', '0'], 'whole number'],
    [['serve', '--port', 'many'], '--port: must be a whole number'],
    [['serve', '--config', 'absent.yaml'], 'absent.yaml cannot be read'],
    [['serve', '--data-dir', '/dev/null/data'], 'nothing can be written to the folder /dev/null/data'],
    [['cameras', 'key', 'CAM', '--data-dir', 'nowhere'], 'nowhere, and so no server that would know the key; name the server\'s own with --data-dir'],
    [['models', 'try', 'no-such-model', 'picture.jpg'], 'there is no model'],
  ])('%j', async (words, said) => {
    const { code, output } = await lookout(...words);
    expect(output).toContain(said);
    expect(code).toBe(2);
    expect(output).not.toMatch(/\n\s+at /);
  });
});

it.each([[['srve'], 2], [['followers', 'list', '--url', 'http://127.0.0.1:1'], 1]] as const)('the process ends with what its command line came to: %j', async (words, code) => {
  const running = await runLookout(words, { folder: folder.path });
  expect(await running.ended, running.output()).toBe(code);
});

it('a data folder that is a link to what is not there is told in words', async () => {
  await symlink(join(folder.path, 'unmounted/disk'), join(folder.path, 'elsewhere'));
  const { code, output } = await lookout('serve', '--data-dir', 'elsewhere');
  expect(output).toContain('a link that leads nowhere, or a disk that is not mounted');
  expect(output).not.toMatch(/\n\s+at /);
  expect(code).toBe(2);
});

describe('a failure ends with 1', () => {
  it('such as a port in use, which is said before anything is made or begun', async () => {
    const server = createServer();
    onTestFinished(() => { server.close(); });
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', () => { resolve(); }); });
    const { code, output } = await lookout('serve', '--port', String((server.address() as AddressInfo).port));
    expect(output).toContain('another program uses it');
    expect(output).toContain('\nwhat to try: choose an address of this machine with --host, and a port that is free with --port\n');
    expect(code).toBe(1);
    expect(await readdir(folder.path)).toEqual([]);
  });
});

describe('a signal ends the server', () => {
  it('in order: SIGINT with 130', async () => {
    const server = await serve();
    server.kill('SIGINT');
    expect(await server.ended, server.output()).toBe(130);
  });

  it('in order, with what it said at its start: SIGTERM with 0', async () => {
    await mkdir(join(folder.path, 'data'));
    await writeFile(join(folder.path, 'data/lookout.yaml'), 'batch_size: 3\n');
    const server = await serve();
    expect(await server.stop(), server.output()).toBe(0);
    expect(server.output()).toContain(`settings from ${join(folder.path, 'data/lookout.yaml')}`);
  });

  it.each([['SIGINT', 130], ['SIGTERM', 143]] as const)('at once when it is the second: %s with %d', async (signal, code) => {
    const server = await serveStuck();
    server.kill(signal);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(() => process.kill(server.pid, 0)).not.toThrow();
    const asked = Date.now();
    server.kill(signal);
    expect(await server.ended).toBe(code);
    // Its grace is 15 s.
    expect(Date.now() - asked).toBeLessThan(8000);
  });
});

describe('a signal ends what is not done yet', () => {
  it('with the code of a failure, and no words: SIGTERM with 143', async () => {
    const silent = createServer();
    onTestFinished(() => { silent.close(); });
    await new Promise<void>((resolve) => { silent.listen(0, '127.0.0.1', () => { resolve(); }); });
    const own = join(folder.path, 'models/slow');
    await mkdir(own, { recursive: true });
    await writeFile(join(own, 'model.yaml'), `runtime: node\nentry: model.mjs\nweights: [{file: a.onnx, url: "http://127.0.0.1:${(silent.address() as AddressInfo).port}/a.onnx"}]\n`);
    const running = await runLookout(['models', 'prepare', 'slow'], { folder: folder.path });
    await until(() => running.output().includes('fetching a.onnx'), 20_000, running.output);
    running.kill('SIGTERM');
    expect(await running.ended, running.output()).toBe(143);
    expect(running.output()).not.toContain('lookout: ');
  });

  it.each([['models', 'prepare', 'absent'], ['serve', '--config', 'absent.yaml']])('and what went wrong otherwise is said: %j', async (...words) => {
    const { code, output } = await command(words, { folder: folder.path, stoppedBy: 'SIGTERM' });
    expect(code).toBe(2);
    expect(output).toMatch(/^lookout: .*absent/);
  });
});

it('help and version end with 0', async () => {
  expect((await lookout('--help')).code).toBe(0);
  expect(await lookout('--version')).toMatchObject({ code: 0, output: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string });
});

it('help explains each setting in the words of their table, with the defaults of the command', async () => {
  // All of it has been written when the process ends.
  const running = await runLookout(['serve', '--help'], { folder: folder.path });
  expect(await running.ended).toBe(0);
  const [serve, demo] = [running.printed(), (await lookout('demo', '--help')).printed].map((help) => help.replaceAll(/\s+/g, ' '));
  for (const setting of listSettings()) expect(serve).toContain(meaningOf(setting));
  expect(serve).toContain('--port <number> Port to listen on; 0: any free one. PORT in the environment means the same. 0 to 65535. (default: 5000)');
  expect(serve).toContain('as the camera sends. 16 to 16384. --default-models <a,b>');
  expect(demo).toContain('animals, potholes, garbage. (default: motion, animals)');
});

describe('a reader that goes away', () => {
  // A terminal that is closed takes both with it, and tells it twice.
  it.each([[['stderr'], ['SIGTERM']], [['stdout', 'stderr'], ['SIGHUP', 'SIGHUP']]] as const)('does not end the server, which ends in order when it is told to, with 0: %j, %j', async (gone, signals) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, '../../dist/cli.js'), 'serve', '--port', '0', '--log-level', 'debug', '--log-format', 'json'], { cwd: folder.path, stdio: ['ignore', 'pipe', 'pipe'] });
    onTestFinished(() => { child.kill('SIGKILL'); });
    const [line] = await once(child.stdout.setEncoding('utf8'), 'data') as [string];
    child.stderr.resume();
    const url = line.trim().split(' ').at(-1) ?? '';
    for (const stream of gone) {
      child[stream].destroy();
      // Each is a line of the log.
      for (let asked = 0; asked < 20; asked += 1) {
        await fetch(`${url}/start_stream`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ camera_id: `${stream}-${asked}`, rtsp_url: 'rtsp://127.0.0.1:1/x', models: ['motion'] }) });
      }
      await expect.poll(async () => ((await (await fetch(`${url}/healthz`)).json()) as { log_lines_lost: number }).log_lines_lost, { timeout: 10_000 })[stream === 'stdout' ? 'toBe' : 'toBeGreaterThan'](0);
    }
    const ended = once(child, 'exit');
    for (const signal of signals) {
      child.kill(signal);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(await ended).toEqual([0, null]);
  });
});
