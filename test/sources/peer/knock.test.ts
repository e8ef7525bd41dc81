import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { knock } from '../../../src/sources/peer/knock.ts';

const never = new AbortController().signal;
const servers: Server[] = [];
const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

async function listen(serve: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    sockets.push(socket);
    serve(socket);
  });
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

it('asks an RTSP camera what it can do, without a login, and is content with any answer', async () => {
  let asked = '';
  const port = await listen((socket) => socket.on('data', (bytes: Buffer) => {
    asked += bytes.toString();
    socket.write('RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\n\r\n');
  }));
  await knock(`rtsp://user:secret@127.0.0.1:${port}/a\u010ab?c=1`, never);
  expect(asked.split('\r\n')[0]).toBe(`OPTIONS rtsp://127.0.0.1:${port}/a%C4%8Ab?c=1 RTSP/1.0`);
  expect(asked).not.toContain('secret');
});

it('leaves nothing open', async () => {
  let open = 0;
  const port = await listen((socket) => {
    open += 1;
    socket.on('close', () => { open -= 1; }).once('data', () => socket.write('RTSP/1.0 200 OK\r\n\r\n'));
  });
  await knock(`rtsp://127.0.0.1:${port}/`, never);
  await expect.poll(() => open).toBe(0);
});

it('is content with a connection where there is no harmless question', async () => {
  const port = await listen(() => undefined);
  for (const scheme of ['http', 'https', 'rtmp', 'rtsps']) await knock(`${scheme}://127.0.0.1:${port}/x`, never);
});

it('leaves names, and what has no connection, to who opens the stream', async () => {
  for (const url of ['rtsp://no-such-camera.invalid/x', 'udp://127.0.0.1:9', 'file:///nowhere.mp4']) await knock(url, never);
});

it('says that nobody is there, and that who is there hangs up', async () => {
  await expect(knock('rtsp://127.0.0.1:9/x', never)).rejects.toMatchObject({ code: 'stream_connect', message: 'the camera could not be reached: connect ECONNREFUSED 127.0.0.1:9' });
  await expect(knock('http://[::1]:9/x', never)).rejects.toMatchObject({ code: 'stream_connect' });
  const port = await listen((socket) => { socket.end(); });
  await expect(knock(`rtsp://127.0.0.1:${port}/x`, never)).rejects.toMatchObject({ code: 'stream_connect', message: expect.stringContaining('took the connection and closed it') as string });
});

it('ends at once when it is aborted', async () => {
  const port = await listen(() => undefined);
  const stop = new AbortController();
  const waiting = knock(`rtsp://127.0.0.1:${port}/x`, stop.signal);
  setTimeout(() => { stop.abort(new Error('enough')); }, 50);
  await expect(waiting).rejects.toThrow('enough');
});

it('does not wait for ever', async () => {
  const port = await listen(() => undefined);
  await expect(knock(`rtsp://127.0.0.1:${port}/x`, never, 200)).rejects.toMatchObject({ code: 'stream_stalled', message: 'the camera took the connection and said nothing for 0.2 s' });
});
