/** When ffmpeg goes to an RTSP camera alone, and when it is led there. */
import { expect, it } from 'vitest';
import { wayTo as openWay } from '../../../src/sources/rtsp/way.ts';
import { BOUNDS, never, streamOf } from '../streams.ts';
import { movedTo, OK, server, wants, type Heard } from './answering.ts';

const at = ({ port }: Heard): string => `rtsp://admin:Secret9@127.0.0.1:${port}/cam?channel=1`;

/** What ffmpeg is to open. */
async function wayTo(url: string, bounds: typeof BOUNDS | null = null): Promise<string> {
  const passage = await openWay(streamOf(url), bounds)(never);
  await passage.close();
  return passage.url;
}

const LED = /^rtsp:\/\/127\.0\.0\.1:\d+\/[0-9a-f]{32}$/;
const MD5 = 'Digest realm="x", nonce="n", qop="auth"';
const letsIn = (...challenges: readonly string[]): Promise<Heard> => server((request) => (/^authorization/im.test(request) ? OK : wants(...challenges)));

it.each([
  ['asks for no login', () => server(() => OK)],
  ['asks for a login that ffmpeg can do', () => letsIn(MD5)],
  ['asks for one of two that ffmpeg can do', () => letsIn(MD5, 'Basic realm="x"')],
])('ffmpeg goes alone to a camera that %s', async (_what, open) => {
  const camera = await open();
  expect(await wayTo(at(camera))).toBe(at(camera));
  // It is asked to describe itself, and left again.
  expect(camera.requests.every((request) => request.startsWith(`DESCRIBE rtsp://127.0.0.1:${camera.port}/cam?channel=1 RTSP/1.0`))).toBe(true);
});

it('a camera that let ffmpeg come alone, and sends on when it is there again, is not ffmpeg\'s any more', async () => {
  let answer = OK;
  const camera = await server(() => answer);
  const open = openWay(streamOf(at(camera)), null);
  expect((await open(never)).url).toBe(at(camera));
  answer = movedTo('rtsp://192.0.2.1/x');
  const passage = await open(never);
  await passage.close();
  expect(passage.url).not.toContain('Secret9');
});

it.each([
  ['sends on to another place', () => server(() => movedTo('rtsp://192.0.2.1/x'))],
  ['sends on once it knows who asks', () => server((request) => (/^authorization/im.test(request) ? movedTo('rtsp://192.0.2.1/x') : wants(MD5)))],
  ['asks for a login that ffmpeg cannot do', () => letsIn('Digest realm="x", nonce="n", algorithm=SHA-256')],
  ['asks for a login of which ffmpeg may choose one that it cannot do', () => letsIn('Digest realm="x", nonce="n", algorithm=SHA-256', MD5)],
  ['does not know the path', () => server(() => 'RTSP/1.0 404 Not Found\r\nCSeq: #\r\n\r\n')],
  ['speaks no RTSP', () => server(() => 'HTTP/1.1 400 Bad Request\r\n\r\n')],
  ['ends the connection', () => server(() => null)],
])('ffmpeg is led to a camera that %s', async (_what, open) => {
  expect(await wayTo(at(await open()))).toMatch(LED);
});

it('ffmpeg is led to every camera whose stream was started over HTTP: it may answer ffmpeg otherwise than us', async () => {
  const camera = await server(() => OK);
  expect(await wayTo(at(camera), BOUNDS)).toMatch(LED);
  expect(camera.requests).toEqual([]);
});

it('a login that is refused is tried once, and not by ffmpeg again', async () => {
  const camera = await server(() => wants(MD5));
  await expect(wayTo(at(camera))).rejects.toMatchObject({ code: 'stream_auth', message: 'the camera refused the user name or password' });
  expect(camera.requests.filter((request) => /^authorization/im.test(request))).toHaveLength(1);
});

it('where nobody may go nobody goes', async () => {
  const camera = await server(() => OK);
  await expect(wayTo(at(camera), { ...BOUNDS, port: camera.port })).rejects.toMatchObject({ code: 'forbidden_address' });
  expect(camera.requests).toEqual([]);
});
