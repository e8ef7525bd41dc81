/** What connections may take: a share of the descriptors, a while for a request; and what is answered to bytes that are none. */
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import type { ConnectionLimits } from '../../src/http/connections.ts';
import { claimPort, type ClaimedPort } from '../../src/http/server.ts';
import { silentLog } from '../../src/lib/log.ts';
import { until } from '../helpers/app.ts';
import { createFakeFace } from '../helpers/fake-face.ts';
import { startServer } from '../helpers/server-process.ts';
import { PICTURE } from './records.ts';
import { createSite } from './site.ts';

const LIMITS: ConnectionLimits = { most: 10, headMs: 60_000, requestMs: 60_000, silentMs: 60_000, checkMs: 50 };
const sockets: Socket[] = [];

afterEach(() => { for (const socket of sockets.splice(0)) socket.destroy(); });

async function claim(limits: Partial<ConnectionLimits> = {}): Promise<ClaimedPort> {
  const port = await claimPort({ host: '127.0.0.1', port: 0 }, silentLog, { ...LIMITS, ...limits });
  onTestFinished(() => port.close());
  return port;
}

interface Client {
  readonly socket: Socket;
  readonly text: () => string;
  readonly closed: () => boolean;
}

/** Connects, and sends this. */
async function open(port: number, text = ''): Promise<Client> {
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  let heard = '';
  let over = false;
  socket.on('data', (more: Buffer) => { heard += more.toString('latin1'); }).on('error', () => undefined).on('close', () => { over = true; });
  await new Promise((resolve) => { socket.once('connect', resolve).once('close', resolve); });
  socket.write(text);
  return { socket, text: () => heard, closed: () => over };
}

const said = (client: Client): Promise<void> => until(() => client.closed(), 5000, () => `still open, and heard ${JSON.stringify(client.text())}`);
const HEAD = 'Host: 127.0.0.1\r\n';

describe('connections beyond the limit', () => {
  it('take the place of idle ones, then of those whose request is not whole; answers under way go on', async () => {
    const { port, serve } = await claim();
    serve((request, response) => {
      if (request.url === '/long') response.write('begun');
      else if (request.method === 'POST') request.resume().on('end', () => response.end('whole'));
      else response.end('answer');
    });
    const long = await open(port, `GET /long HTTP/1.1\r\n${HEAD}\r\n`);
    await until(() => long.text().includes('begun'), 5000, long.text);
    const uploads = await Promise.all([1, 2].map(() => open(port, `POST / HTTP/1.1\r\n${HEAD}Content-Length: 100\r\n\r\n{`)));
    const idle: Client[] = [];
    for (let number = 0; number < 20; number += 1) idle.push(await open(port, number % 2 === 0 ? '' : 'GET / HTTP/1.1\r\nX'));
    await until(() => idle.filter(({ closed }) => closed()).length === 13, 5000, () => 'those that were idle longest are still there');
    expect(idle.map(({ closed }) => closed())).toEqual(idle.map((_, number) => number < 13));
    expect([long, ...uploads].map(({ closed }) => closed())).toEqual([false, false, false]);

    const longs: Client[] = [];
    for (let number = 0; number < 8; number += 1) {
      longs.push(await open(port, `GET /long HTTP/1.1\r\n${HEAD}\r\n`));
      await until(() => longs[number]?.text().includes('begun') === true, 5000, () => `${number}`);
    }
    expect(uploads.map(({ closed }) => closed()).sort()).toEqual([false, true]);
    longs.push(await open(port, `GET /long HTTP/1.1\r\n${HEAD}\r\n`));
    await until(() => uploads.every(({ closed }) => closed()), 5000, () => 'an upload holds its place');
    const refused = await open(port, `GET / HTTP/1.1\r\n${HEAD}\r\n`);
    await said(refused);
    expect(refused.text()).toBe('');
    expect([long, ...longs].map(({ closed }) => closed())).toEqual(Array(10).fill(false));
  });

  it('are not needed to end what holds much for a client that takes nothing of it', async () => {
    const { port, serve } = await claim({ silentMs: 500 });
    serve((request, response) => { response.end(Buffer.alloc(request.url === '/much' ? 2e7 : 5e6)); });
    const [deaf, busy] = [await open(port, `GET /much HTTP/1.1\r\n${HEAD}\r\n`), await open(port, `GET /much HTTP/1.1\r\n${HEAD}\r\n`)];
    deaf.socket.pause();
    let heard = 0;
    busy.socket.on('data', ({ length }: Buffer) => {
      heard += length;
      busy.socket.pause();
      setTimeout(() => { busy.socket.resume(); }, 5);
    });
    await until(() => deaf.socket.bytesRead > 0, 5000, () => 'nothing came');
    await new Promise((resolve) => setTimeout(resolve, 1500));
    // It hears of its end only behind what has come.
    deaf.socket.resume();
    await said(deaf);
    expect(deaf.text().length).toBeLessThan(1.9e7);
    await until(() => heard > 2e7, 20_000, () => `only ${heard}`);
    expect(busy.closed()).toBe(false);
  });

  const PIECE = Buffer.alloc(64 * 1024, 'x');
  it('take the place of those that read nothing of their answers; slow readers, and answers that pause, go on', async () => {
    const { port, serve } = await claim({ silentMs: 1500 });
    serve((request, response) => {
      if (request.url === '/slow') response.on('drain', () => response.write(PIECE)).write(PIECE);
      else if (request.url === '/pause') response.write('begun');
      else response.end(Buffer.alloc(1e6));
    });
    const slow = await open(port, `GET /slow HTTP/1.1\r\n${HEAD}\r\n`);
    let heard = 0;
    slow.socket.on('data', ({ length }: Buffer) => {
      heard += length;
      slow.socket.pause();
      setTimeout(() => { slow.socket.resume(); }, 2);
    });
    for (let number = 0; number < 8; number += 1) {
      const { socket } = await open(port, `GET / HTTP/1.1\r\n${HEAD}\r\n`.repeat(20));
      await new Promise((resolve) => { socket.once('data', resolve); });
      socket.pause();
    }
    const pausing: Client[] = [];
    const another = async (): Promise<boolean> => {
      const client = await open(port, `GET /pause HTTP/1.1\r\n${HEAD}\r\n`);
      await until(() => client.closed() || client.text() !== '', 5000, client.text);
      if (!client.closed()) pausing.push(client);
      return !client.closed();
    };
    for (let number = 0; number < 9; number += 1) await until(another, 5000, () => `nobody is answered after ${number}`);
    expect(await another()).toBe(false);
    const before = heard;
    await until(() => heard > before + 1e6, 5000, () => `the slow one gets no more than ${before}`);
    expect([slow, ...pausing].map(({ closed }) => closed())).toEqual(Array(10).fill(false));
  });

  it('are met in time although four hundred are idle: frames are captured and recorded with 256 descriptors', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lookout-starved-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    await mkdir(join(folder, 'pictures'));
    await mkdir(join(folder, 'data'));
    for (let number = 100; number < 110; number += 1) await writeFile(join(folder, 'pictures', `${number}.jpg`), Buffer.from(PICTURE, 'base64'));
    const stream = { camera_id: 'CAM', url: pathToFileURL(join(folder, 'pictures')).href, models: ['motion'], options: { interval_seconds: 0.2, batch_size: 2 } };
    await writeFile(join(folder, 'data', 'lookout.yaml'), JSON.stringify({ streams: [stream], grace_seconds: 1 }));
    const server = await startServer({ folder, under: ['sh', '-c', 'ulimit -n 256; "$@"; exit $?', 'sh'] });
    onTestFinished(() => server.kill9());
    const port = Number(new URL(server.url).port);
    for (let number = 0; number < 400; number += 1) await open(port, 'GET / HTTP/1.1\r\nHost: x\r\nX');
    const recorded = async (): Promise<number> => ((await server.ask('/api/streams')) as { books: { recorded: number } }).books.recorded;
    const before = await recorded();
    await until(async () => (await recorded()) >= before + 4, 30_000, server.output);
    expect(sockets.filter(({ destroyed }) => !destroyed).length).toBeLessThanOrEqual(64);
    expect(server.output()).not.toMatch(/EMFILE|error /);
  });
});

describe('a request that comes too slowly', () => {
  it.each([
    ['its head', `GET / HTTP/1.1\r\n${HEAD}X-Slow: `],
    ['its body', `POST / HTTP/1.1\r\n${HEAD}Content-Length: 100\r\n\r\n{"`],
    ['nothing at all', ''],
  ])('is told so, and ended: %s', async (_what, text) => {
    const { port, serve } = await claim({ headMs: 200, requestMs: 400 });
    serve((request, response) => { request.resume().on('end', () => response.end()); });
    const slow = await open(port, text);
    await said(slow);
    expect(slow.text()).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n[^]*\r\n\r\n\{"error":"The request did not come within its time; send it faster\.","code":"bad_request"\}$/);
  });

  it.each([
    ['with a length', 'Content-Length: 100\r\n\r\n{"'],
    ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n2\r\n{"\r\n'],
  ])('is one of which nothing comes any more, %s', async (_what, text) => {
    const { port, serve } = await claim({ silentMs: 200 });
    serve((request, response) => { request.resume().on('end', () => response.end()); });
    const silent = await open(port, `POST / HTTP/1.1\r\n${HEAD}${text}`);
    await said(silent);
    expect(silent.text()).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('is not one that goes on coming, nor one that is not read yet', async () => {
    const { port, serve } = await claim({ silentMs: 400 });
    serve((request, response) => { setTimeout(() => { request.resume().on('end', () => response.end('all of it')); }, request.url === '/later' ? 800 : 0); });
    const later = await open(port, `POST /later HTTP/1.1\r\n${HEAD}Content-Length: 1\r\n\r\n`);
    const slow = await open(port, `POST / HTTP/1.1\r\n${HEAD}Content-Length: 10\r\n\r\n`);
    for (let bytes = 0; bytes < 10; bytes += 1) {
      await new Promise((resolve) => setTimeout(resolve, 90));
      slow.socket.write('x');
    }
    later.socket.write('x');
    await until(() => slow.text().endsWith('all of it') && later.text().endsWith('all of it'), 5000, () => slow.text() + later.text());
  });

  it('is not an answer that takes long', async () => {
    const { port, serve } = await claim({ headMs: 100, requestMs: 200 });
    serve((_request, response) => {
      let parts = 0;
      const timer = setInterval(() => {
        response.write('part ');
        parts += 1;
        if (parts < 8) return;
        clearInterval(timer);
        response.end('over');
      }, 100);
    });
    const text = await new Promise<string>((resolve, reject) => {
      httpRequest({ port, agent: false }, (response) => {
        let heard = '';
        response.on('data', (more: Buffer) => { heard += more.toString(); }).on('end', () => { resolve(heard); }).on('error', reject);
      }).on('error', reject).end();
    });
    expect(text).toBe(`${'part '.repeat(8)}over`);
  });
});

it.skipIf(!existsSync('/proc/net/tcp'))('clients that are silent are asked whether they are still there (skipped where there is no /proc/net/tcp)', async () => {
  const { port, serve } = await claim();
  serve((_request, response) => { response.write('begun'); });
  const client = await open(port, `GET / HTTP/1.1\r\n${HEAD}\r\n`);
  await until(() => client.text().includes('begun'), 5000, client.text);
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  // The kernel's own table: local address, other address, state (01: connected), queues, which timer (02: keep-alive) and when it is due.
  const timers = (): readonly string[] => readFileSync('/proc/net/tcp', 'utf8').split('\n').map((line) => line.trim().split(/\s+/)).filter(([, own = '', , state]) => own.endsWith(local) && state === '01').map(([, , , , , timer = '']) => timer);
  await until(() => timers().some((timer) => timer.startsWith('02:')), 2000, () => `their timers are ${timers().join(', ')}`);
});

it('as many requests wait for the app as may; the others are told to try again', async () => {
  const { port, serve } = await claim();
  const client = await open(port, `GET / HTTP/1.1\r\n${HEAD}\r\n`.repeat(120));
  await new Promise((resolve) => setTimeout(resolve, 100));
  serve((_request, response) => { response.end('here'); });
  await until(() => client.text().includes('Lookout is starting'), 5000, client.text);
  expect([client.text().match(/HTTP\/1\.1 200/g)?.length, client.text().match(/HTTP\/1\.1 503/g)?.length]).toEqual([100, 20]);
});

describe('what is no request of a route is answered in JSON', () => {
  it.each([
    ['bytes that are no HTTP', '\x16\x03\x01\x02\x00\r\n\r\n', 400],
    ['a method of nobody', `FOO / HTTP/1.1\r\n${HEAD}\r\n`, 400],
    ['an HTTP of the future', `GET / HTTP/9.9\r\n${HEAD}\r\n`, 400],
    ['a length that is none', `POST /start_stream HTTP/1.1\r\n${HEAD}Content-Length: x\r\n\r\n`, 400],
    ['two lengths', `POST /start_stream HTTP/1.1\r\n${HEAD}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`, 400],
    ['a head without end', `GET / HTTP/1.1\r\n${HEAD}X: ${'y'.repeat(20_000)}\r\n\r\n`, 431],
    ['no Host', 'GET /api/streams HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
    ['a tunnel', `CONNECT example.org:443 HTTP/1.1\r\n${HEAD}\r\n`, 405],
    ['an expectation', `POST /start_stream HTTP/1.1\r\n${HEAD}Expect: more\r\nContent-Length: 2\r\n\r\n{}`, 417],
  ])('%s', async (_what, text, status) => {
    const site = await createSite(createFakeFace());
    const client = await open(site.port, text);
    await said(client);
    await site.close();
    expect(client.text()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [^]*\\{"error":"[^"]+","code":"[a-z_]+"\\}`));
  });

  it('but an answer under way is not spoilt by what comes behind its request', async () => {
    const { port, serve } = await claim();
    serve((_request, response) => { response.write('begun'); });
    const client = await open(port, `GET / HTTP/1.1\r\n${HEAD}\r\n`);
    await until(() => client.text().includes('begun'), 5000, client.text);
    client.socket.write('no HTTP at all\r\n\r\n');
    await said(client);
    expect(client.text()).not.toContain('400');
  });
});
