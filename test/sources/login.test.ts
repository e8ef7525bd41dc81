import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { afterAll, expect, it } from 'vitest';
import { LookoutError } from '../../src/errors.ts';
import { withLogin } from '../../src/sources/ffmpeg/login.ts';
import { capture, failureOf } from './streams.ts';

const cleanup: (() => unknown)[] = [];
afterAll(() => Promise.all(cleanup.map((close) => close())));

/** A camera that wants these logins of everybody. */
async function camera(...challenges: readonly string[]): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined).on('data', (bytes: Buffer) => {
      const request = bytes.toString('latin1');
      const headers = [`CSeq: ${/cseq: *(\d+)/i.exec(request)?.[1] ?? ''}`, ...challenges.map((challenge) => `WWW-Authenticate: ${challenge}`)];
      const head = request.startsWith('OPTIONS') ? ['RTSP/1.0 200 OK', headers[0], 'Public: OPTIONS, DESCRIBE, SETUP, PLAY'] : ['RTSP/1.0 401 Unauthorized', ...headers];
      socket.write(`${head.join('\r\n')}\r\n\r\n`);
    });
  }).listen(0, '127.0.0.1');
  cleanup.push(() => server.close());
  await once(server, 'listening');
  return `rtsp://admin:secret@127.0.0.1:${(server.address() as AddressInfo).port}/stream`;
}

it('a login that ffmpeg cannot do is named, and the password is not blamed', async () => {
  const error = await failureOf(capture(await camera('Digest realm="IP Camera", nonce="0", algorithm="SHA-256", qop="auth"')));
  expect(error).toMatchObject({
    code: 'stream_auth',
    message: 'the camera wants a login (digest SHA-256 with auth) that ffmpeg cannot do, so that the user name and password may be right: let the camera offer digest with MD5, or basic',
  });
});

const refused = new LookoutError('stream_auth', 'the camera refused the user name or password: 401');

it.each([
  ['basic', ['Basic realm="x"']],
  ['an old digest', ['Digest realm="x", nonce="0"']],
  ['one of two that it can do', ['Digest realm="x", nonce="0", algorithm=SHA-256', 'Digest realm="x", nonce="0", algorithm=MD5']],
])('a login that ffmpeg can do leaves the error as it is: %s', async (_name, challenges) => {
  expect(await withLogin(refused, await camera(...challenges))).toBe(refused);
});

it('a camera that is gone leaves the error as it is', async () => {
  expect(await withLogin(refused, 'rtsp://127.0.0.1:1/x')).toBe(refused);
});
