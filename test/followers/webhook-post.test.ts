/** Requests to targets that answer before they have all, or with what is no answer to a request. */
import { createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { expect, it, onTestFinished } from 'vitest';
import { createPoster, type Poster } from '../../src/followers/webhook/post.ts';

const never = new AbortController().signal;

/** `answer`: what is said to each connection as soon as something comes. Nothing more is read. */
async function target(answer: string): Promise<{ readonly url: URL; readonly poster: Poster }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).once('data', () => {
      socket.pause();
      socket.write(answer);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as { readonly port: number };
  const poster = createPoster({ origin: `http://127.0.0.1:${port}`, authorization: null }, 2, String);
  onTestFinished(() => {
    poster.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: new URL(`http://127.0.0.1:${port}/`), poster };
}

it('what a target answers before it has all counts, and the next message does not wait for the rest', async () => {
  const { url, poster } = await target('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
  for (const bytes of [8e6, 10]) expect(await poster.post(url, Buffer.alloc(bytes), () => ({}), never)).toMatchObject({ status: 200 });
});

it('a target that would speak something else than HTTP has answered', async () => {
  const { url, poster } = await target('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n');
  for (let times = 0; times < 2; times += 1) expect(await poster.post(url, Buffer.from('a'), () => ({}), never)).toMatchObject({ status: 101 });
});

it('a message that waits for a connection is given up in time, and at once when it is to stop', async () => {
  const { url, poster } = await target('');
  const stop = new AbortController();
  const [first, second, third] = [never, never, stop.signal].map((signal) => poster.post(url, Buffer.from('a'), () => ({}), signal));
  const began = performance.now();
  stop.abort(new Error('stopped'));
  await expect(third).rejects.toThrow('stopped');
  expect(performance.now() - began).toBeLessThan(1000);
  await expect(first).rejects.toThrow(/gave no answer within 2 s/);
  await expect(second).rejects.toThrow(/gave no answer within 2 s/);
});
