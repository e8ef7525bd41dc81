/** What cameras and strangers' servers hear of a login, and where they may lead. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, describe, expect, it } from 'vitest';
import { startDemoCamera } from '../../../src/demo/index.ts';
import { openRelay } from '../../../src/sources/rtsp/relay.ts';
import type { Passage } from '../../../src/sources/network/passage.ts';
import { BOUNDS, captureRtsp, closeSources, failureOf, firstFrames, never, streamOf } from '../streams.ts';
import { movedTo, OK, server, wants, type Heard } from './answering.ts';

const cleanup: (() => unknown)[] = [closeSources];
afterAll(() => Promise.all(cleanup.map((close) => close())));

const moving = (location: string): Promise<Heard> => server((request) => (request.startsWith('OPTIONS') ? OK : movedTo(location)));
const asking = (): Promise<Heard> => server((request) => (request.startsWith('OPTIONS') ? OK : wants('Basic realm="x"')));
const at = ({ port }: Heard, login = 'admin:Secret9@'): string => `rtsp://${login}127.0.0.1:${port}/cam`;

/** What ffmpeg would say to the camera, without ffmpeg. */
async function conversation(url: string, bounds: typeof BOUNDS | null = null): Promise<{ passage: Passage; socket: Socket; ask: (method: string, headers?: string) => Promise<string> }> {
  const passage = await openRelay(streamOf(url), bounds, never);
  const socket = connect(Number(new URL(passage.url).port), '127.0.0.1');
  cleanup.push(() => { socket.destroy(); return passage.close(); });
  let number = 0;
  return {
    passage, socket,
    async ask(method, headers = '') {
      number += 1;
      socket.write(`${method} ${passage.url} RTSP/1.0\r\nCSeq: ${number}\r\n${headers}\r\n`);
      const [said] = await Promise.race([once(socket, 'data'), once(socket, 'close').then(() => [''])]) as [Buffer | string];
      return said.toString('latin1');
    },
  };
}

describe('a login', () => {
  it.each([
    ['Basic realm="x"', () => `Basic ${Buffer.from('admin:Sec/ret').toString('base64')}`],
    ['Digest realm="x", nonce="n", algorithm=SHA-256', (uri: string) => {
      const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
      return `response="${hash(`${hash('admin:x:Sec/ret')}:n:${hash(`DESCRIBE:${uri}`)}`)}"`;
    }],
  ])('answers %s for the camera\'s own address', async (challenge, expected) => {
    const camera = await server((request) => (/^authorization/im.test(request) ? OK : wants(challenge)));
    const { ask } = await conversation(at(camera, 'admin:Sec%2Fret@'));
    expect(await ask('DESCRIBE')).toMatch(/^RTSP\/1\.0 200 OK\r\n(.*\r\n)*CSeq: 1\r\n/);
    const uri = `rtsp://127.0.0.1:${camera.port}/cam`;
    expect(camera.requests).toHaveLength(2);
    expect(camera.requests[1]).toContain(`DESCRIBE ${uri} RTSP/1.0`);
    expect(camera.requests[1]).toContain(expected(uri));
    // The next one is not asked for first.
    await ask('SETUP');
    expect(camera.requests).toHaveLength(3);
    expect(camera.requests[2]).toContain('Authorization: ');
  });

  it('that nobody can do is named, and the password is not blamed', async () => {
    const camera = await server((request) => (request.startsWith('OPTIONS') ? OK : wants('Negotiate')));
    expect(await failureOf(captureRtsp(at(camera)))).toMatchObject({ code: 'stream_auth', message: expect.stringMatching(/^the camera wants a login \(negotiate\) that Lookout cannot do/) as string });
    expect(camera.requests.join()).not.toMatch(/authorization/i);
  });

  it('that would end its line is refused', async () => {
    const camera = await asking();
    expect(await failureOf(captureRtsp(at(camera, 'admin%0d%0aX:%20y:Secret9@')))).toMatchObject({ code: 'stream_auth', message: expect.stringContaining('line break') as string });
    expect(camera.requests).toEqual([]);
  });

  it('that is wrong is tried once', async () => {
    const camera = await asking();
    expect(await failureOf(captureRtsp(at(camera)))).toMatchObject({ code: 'stream_auth', message: expect.stringContaining('refused the user name or password') as string });
    expect(camera.requests.filter((request) => request.startsWith('DESCRIBE'))).toHaveLength(2);
  });

  it('answers a challenge that changes while the camera plays', async () => {
    let nonce = 'first';
    const camera = await server((request, socket) => {
      if (!request.includes(`nonce="${nonce}"`)) return wants(`Digest realm="x", nonce="${nonce}"`);
      if (request.startsWith('PLAY')) setTimeout(() => socket.write(Buffer.from([0x24, 0, 0, 4, 1, 2, 3, 4])), 20);
      return OK;
    });
    const { ask, socket } = await conversation(at(camera));
    expect(await ask('PLAY')).toMatch(/^RTSP\/1\.0 200/);
    expect((await once(socket, 'data') as [Buffer])[0]).toEqual(Buffer.from([0x24, 0, 0, 4, 1, 2, 3, 4]));
    nonce = 'second';
    expect(await ask('GET_PARAMETER')).toMatch(/^RTSP\/1\.0 401/);
    expect(await ask('GET_PARAMETER')).toMatch(/^RTSP\/1\.0 200/);
  });
});

describe('a camera that sends on', () => {
  it('to a stranger who asks for a login is not followed with that of the camera', async () => {
    const stranger = await asking();
    const camera = await moving(`rtsp://127.0.0.1:${stranger.port}/elsewhere`);
    const error = await failureOf(captureRtsp(at(camera)));
    expect(error).toMatchObject({ code: 'stream_auth', message: expect.stringContaining(`sends us on to rtsp://127.0.0.1:${stranger.port}, which wants a login`) as string });
    expect(stranger.requests.join()).toContain('/elsewhere');
    expect(stranger.requests.join()).not.toMatch(/authorization|secret9|admin/i);
  });

  it('to where nothing is asked is followed up to the picture', async () => {
    const demo = await startDemoCamera({ cameras: { street: { kind: 'scene', width: 320, height: 180, keyframe_seconds: 1 } } }, never);
    cleanup.push(demo.close);
    const camera = await moving(demo.url('street'));
    await expect(firstFrames(captureRtsp(at(camera), { interval_seconds: 1 }), 1)).resolves.toMatchObject([{ width: 320 }]);
  });

  it.each([
    ['file:///etc/hostname', 'forbidden_scheme'], ['http://127.0.0.1:1/x', 'forbidden_scheme'], ['/elsewhere', 'forbidden_scheme'], ['gopher://127.0.0.1/', 'forbidden_scheme'],
  ])('to %s is refused', async (location, code) => {
    expect(await failureOf(captureRtsp(at(await moving(location))))).toMatchObject({ code });
  });

  it('on and on is left', async () => {
    const camera: Heard = await server((request) => (request.startsWith('OPTIONS') ? OK : movedTo(`rtsp://127.0.0.1:${camera.port}/cam`)));
    expect(await failureOf(captureRtsp(at(camera)))).toMatchObject({ code: 'stream_connect', message: 'the camera sends us on and on: more than 3 redirects' });
  });

  it('may not lead a stream that was started over HTTP to Lookout or the cloud', async () => {
    const lookout = await server(() => OK);
    for (const place of ['169.254.169.254', '[::ffff:169.254.169.254]', `127.0.0.1:${lookout.port}`, `localhost:${lookout.port}`]) {
      const { ask, passage } = await conversation(at(await moving(`rtsp://${place}/`)), { ...BOUNDS, port: lookout.port });
      await ask('DESCRIBE');
      expect(passage.failure()).toMatchObject({ code: 'forbidden_address' });
    }
    expect(lookout.requests).toEqual([]);
  });
});

it('the way is ffmpeg\'s alone', async () => {
  const camera = await server(() => OK);
  const { passage, ask } = await conversation(at(camera));
  expect(passage.url).not.toMatch(/admin|Secret9|cam$/);
  const other = connect(Number(new URL(passage.url).port), '127.0.0.1');
  other.write('DESCRIBE rtsp://127.0.0.1/cam RTSP/1.0\r\nCSeq: 1\r\n\r\n');
  await once(other, 'close');
  expect(camera.requests).toEqual([]);
  expect(await ask('OPTIONS')).toMatch(/^RTSP\/1\.0 200/);
  const late = connect(Number(new URL(passage.url).port), '127.0.0.1');
  await expect(once(late, 'connect')).rejects.toThrow('ECONNREFUSED');
});

it('an answer that nobody asked for is not passed on: ffmpeg would follow it', async () => {
  const camera = await server((request) => (request.startsWith('OPTIONS') ? OK + movedTo('rtsp://192.0.2.1/x') : OK));
  const { ask } = await conversation(at(camera), BOUNDS);
  expect(await ask('OPTIONS') + await ask('DESCRIBE')).toMatch(/^(RTSP\/1\.0 200 OK\r\n(CSeq: .*\r\n|Content-Base: .*\r\n)*\r\n){2}$/);
});

it('what a camera says that is no RTSP is said to be none', async () => {
  const camera = await server(() => 'HTTP/1.1 400 Bad Request\r\n\r\n');
  expect(await failureOf(captureRtsp(at(camera)))).toMatchObject({ code: 'stream_codec', message: 'the camera speaks no RTSP: its answer is no RTSP' });
});

it.each([
  ['that says nothing', '', '127.0.0.1'], ['that says another place to a stream started over HTTP', ';source=198.51.100.7;x=y; source=198.51.100.7, RTP/AVP', '127.0.0.1'],
])('UDP packets are reported on to the camera: one %s', async (_what, source, told) => {
  const camera = await server(() => `RTSP/1.0 200 OK\r\nCSeq: #\r\nTransport: RTP/AVP;unicast;client_port=4-5;server_port=6-7${source}\r\n\r\n`);
  const { ask } = await conversation(at(camera), BOUNDS);
  expect(await ask('SETUP')).toMatch(new RegExp(`server_port=6-7[^,\r\n]*;source=${told.replaceAll('.', String.raw`\.`)}\r\n`));
});
