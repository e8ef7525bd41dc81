/** Our own RTSP client with real peers: the demo camera and its faults, a server by others, and servers that answer as a test says. */
import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type DemoCamera, type FaultName, faultOf, startDemoCamera, startRelay, type Relay, type Rules } from '../../../src/demo/index.ts';
import type { ErrorCode } from '../../../src/errors.ts';
import type { Unit } from '../../../src/sources/rtp/unit.ts';
import { Unsupported } from '../../../src/sources/rtsp/client.ts';
import { until } from '../../helpers/app.ts';
import { clip, hasPeer, startPeer } from '../../helpers/shared.ts';
import { annexB, bytesOf, nalsOf, picture, rtp } from '../rtp/packets.ts';
import { BOUNDS, never } from '../streams.ts';
import { movedTo, OK, server, wants, type Heard } from './answering.ts';
import { watch } from './watching.ts';

const SCENE = { kind: 'scene', width: 320, height: 180, fps: 20, keyframe_seconds: 0.5 } as const;
let folder: string;
let camera: DemoCamera;
const cleanup: (() => Promise<void>)[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lookout-client-'));
  execFileSync('ffmpeg', ['-loglevel', 'error', '-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=20:d=3', '-c:v', 'libx265', '-x265-params', 'log-level=none:bframes=2:keyint=20', '-preset', 'ultrafast', join(folder, 'h265.mp4')]);
  camera = await startDemoCamera({
    auth: { user: 'user', password: 'pass' },
    cameras: { street: SCENE, size: SCENE, h265: { kind: 'clip', file: join(folder, 'h265.mp4') } },
  }, never);
});
afterAll(async () => {
  await Promise.all(cleanup.map((close) => close()));
  await camera.close();
  await rm(folder, { recursive: true });
});

/** The demo camera with rules. */
async function relayed(rules: Rules, path = 'street'): Promise<Relay> {
  const relay = await startRelay(camera.url(path, true), { show: (change) => { camera.show(path, change); } });
  cleanup.push(relay.close);
  await relay.become(rules);
  return relay;
}

const withFault = (name: FaultName, path?: string): Promise<Relay> => relayed(faultOf(name), path);

describe('a camera is played', () => {
  it('for longer than its session lasts without a word', async () => {
    const impatient = await startDemoCamera({ timeout_seconds: 2, cameras: { street: SCENE } }, never);
    onTestFinished(impatient.close);
    // It may lose patience with who asks before its pictures are there.
    await expect.poll(() => watch(impatient.url('street')).then(async ({ stop: leave }) => leave().then(() => 'plays'), () => 'ended'), { timeout: 20_000 }).toBe('plays');
    const { playing, units, stop } = await watch(impatient.url('street'), { seconds: 2.8 });
    expect(playing.codec).toBe('h264');
    expect(units.length).toBeGreaterThan(30);
    expect(units.filter(({ damaged }) => damaged)).toEqual([]);
    const times = units.map(({ ptsSeconds }) => ptsSeconds);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    const [first, second] = units.filter(({ key }) => key);
    expect((second?.ptsSeconds ?? NaN) - (first?.ptsSeconds ?? NaN)).toBeCloseTo(0.5, 3);
    expect(nalsOf(playing.parameterSets()).map((nal) => (nal[0] ?? 0) & 31)).toEqual([7, 8]);
    await stop();
  });

  it('until it is told goodbye', async () => {
    const relay = await relayed({});
    const { units, stop } = await watch(relay.url, { seconds: 0.3 });
    const began = performance.now();
    await stop();
    expect(performance.now() - began).toBeLessThan(1000);
    const { length } = units;
    expect(relay.methods.at(-1)).toBe('TEARDOWN');
    await sleep(100);
    expect(units).toHaveLength(length);
  });
});

describe.concurrent('byte by byte as it was sent', () => {
  /** How many NAL units of pictures came, which are those of the file, one after the other. */
  async function equalTo(file: string, format: 'h264' | 'hevc', url: string): Promise<number> {
    const isSlice = ([first = 0]: Buffer): boolean => (format === 'h264' ? (first & 31) <= 5 : (first >> 1) < 32);
    const hashed = (nal: Buffer): string => createHash('md5').update(nal).digest('hex');
    const sent = nalsOf(execFileSync('ffmpeg', ['-loglevel', 'error', '-i', file, '-map', '0:v', '-c', 'copy', '-f', format, 'pipe:1'], { maxBuffer: 1e9 })).filter(isSlice).map(hashed);
    const { units, stop } = await watch(url);
    await until(() => units.length > 20, 10_000, () => `${units.length} pictures came`);
    await stop();
    expect(units.filter(({ damaged }) => damaged)).toEqual([]);
    expect(units.map(({ bytes }) => bytes)).toEqual(units.map((unit) => bytesOf(unit).length));
    const came = units.flatMap((unit) => nalsOf(bytesOf(unit))).filter(isSlice).map(hashed);
    const begins = sent.indexOf(came[0] ?? '');
    expect(came).toEqual([...sent, ...sent].slice(begins, begins + came.length));
    return came.length;
  }

  it('comes H.265', async () => {
    expect(await equalTo(join(folder, 'h265.mp4'), 'hevc', camera.url('h265', true))).toBeGreaterThan(20);
  });

  it.skipIf(!hasPeer).each(['dog-street.mp4', 'dog-street-bframes.mp4'])('comes H.264 of a server by others: %s', async (name) => {
    const peer = await startPeer({ dog: name }, 0.5);
    cleanup.push(() => peer.close());
    expect(await equalTo(clip(name), 'h264', peer.url('dog'))).toBeGreaterThan(20);
  });
});

describe('a camera that refuses is said to be', () => {
  it.each<readonly [FaultName, ErrorCode, RegExp]>([
    ['refuse', 'stream_connect', /^the camera could not be reached: .*ECONNREFUSED 127\.0\.0\.1:\d+$/],
    ['401', 'stream_auth', /^the camera refused the user name or password: it answered DESCRIBE with 401 Unauthorized$/],
    ['404', 'stream_not_found', /^the camera does not know this path: .*404/],
    ['453', 'stream_connect', /^the camera has no bandwidth for one more viewer: end another one, or let it send less: .*453/],
    ['454', 'stream_codec', /^the camera has nothing to play: there is no video in it, or it has lost the session, .*454/],
    ['461', 'stream_connect', /^the camera does not offer TCP: set "transport": "udp" in its options: .*461/],
    ['503', 'stream_connect', /^the camera is too busy, or still starting: it may have too many viewers: .*503/],
    ['redirect-host', 'stream_connect', /^the camera could not be reached: .*127\.0\.0\.2/],
    ['reset-on-play', 'stream_connect', /^the camera ended the connection before its first picture: it may be starting, or have too many viewers$/],
  ])('%s: %s', async (name, code, message) => {
    const failure: unknown = await watch((await withFault(name)).url).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code, message: expect.stringMatching(message) as string });
    // What another engine may know to do.
    expect(failure instanceof Unsupported).toBe(name === '461');
  });

  it.each<readonly [string, () => string | null, ErrorCode, RegExp]>([
    ['no RTSP camera', () => 'HTTP/1.1 400 Bad Request\r\n\r\n', 'stream_codec', /^the camera speaks no RTSP: its answer is no RTSP$/],
    ['nobody', () => null, 'stream_connect', /^the camera could not be reached: 127\.0\.0\.1:\d+ took the connection and closed it$/],
    ['out of order', () => 'RTSP/1.0 500 Oops\r\nCSeq: #\r\n\r\n', 'stream_connect', /^the camera could not be reached: it answered DESCRIBE with 500 Oops$/],
    ['odd', () => 'RTSP/1.0 418 Teapot\u001b[31m\r\nCSeq: #\r\n\r\n', 'stream_connect', /^the camera refuses: it answered DESCRIBE with 418 Teapot \[31m$/],
    ['without video', () => OK, 'stream_codec', /^there is no video in it$/],
  ])('%s', async (_what, answer, code, message) => {
    await expect(watch(`rtsp://127.0.0.1:${(await server(answer)).port}/cam`)).rejects.toMatchObject({ code, message: expect.stringMatching(message) as string });
  });
});

/** A camera that describes an H.264 stream, and plays what it is told to. */
function cameraThatSends(feed: (socket: Socket) => void): Promise<Heard> {
  const description = 'v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n';
  return server((request, socket) => {
    // Nothing more is asked soon, so that no answer comes into the middle of a packet.
    if (request.startsWith('OPTIONS')) setImmediate(feed, socket);
    if (request.startsWith('DESCRIBE')) return `RTSP/1.0 200 OK\r\nCSeq: #\r\nContent-Length: ${description.length}\r\n\r\n${description}`;
    return request.startsWith('SETUP') ? 'RTSP/1.0 200 OK\r\nCSeq: #\r\nTransport: RTP/AVP/TCP;interleaved=0-1\r\nSession: 1\r\n\r\n' : OK;
  });
}

const at = ({ port }: Heard): string => `rtsp://admin:Secret9@127.0.0.1:${port}/cam`;

describe('an address beyond ASCII', () => {
  it('is told as the bytes that it means, none of which ends a line', async () => {
    const hash = (text: string): string => createHash('md5').update(text).digest('hex');
    const heard = await server((request) => (request.includes('Authorization: ') ? 'RTSP/1.0 404 Not Found\r\nCSeq: #\r\n\r\n' : wants('Digest realm="Caméra", nonce="n"')));
    // The low bytes of these are a line feed, a blank and a carriage return.
    await expect(watch(`rtsp://hlídač:tajné\u010a@127.0.0.1:${heard.port}/dům\u010aSET\u0120k\u010d`)).rejects.toMatchObject({ code: 'stream_not_found' });
    const uri = `rtsp://127.0.0.1:${heard.port}/d%C5%AFm%C4%8ASET%C4%A0k%C4%8D`;
    const response = hash(`${hash('hlídač:Caméra:tajné\u010a')}:n:${hash(`DESCRIBE:${uri}`)}`);
    expect(heard.requests.map((request) => Buffer.from(request, 'latin1').toString().split('\r\n').filter((line) => !/^(CSeq|User-Agent|Accept):/.test(line)))).toEqual([
      [`DESCRIBE ${uri} RTSP/1.0`],
      [`DESCRIBE ${uri} RTSP/1.0`, `Authorization: Digest username="hlídač", realm="Caméra", nonce="n", uri="${uri}", response="${response}"`],
    ]);
  });
});

describe('the login', () => {
  it('that is wrong is tried once', async () => {
    const heard = await server(() => wants('Digest realm="x", nonce="n"'));
    await expect(watch(at(heard))).rejects.toMatchObject({ code: 'stream_auth', message: expect.stringMatching(/^the camera refused the user name or password: /) as string });
    expect(heard.requests.filter((request) => request.includes('Authorization: '))).toHaveLength(1);
  });

  it('answers a nonce that has become too old', async () => {
    let nonces = 0;
    const heard = await server((request) => {
      if (request.includes(`nonce="${nonces}"`) && nonces >= 2) return 'RTSP/1.0 404 Not Found\r\nCSeq: #\r\n\r\n';
      nonces += 1;
      return wants(`Digest realm="x", nonce="${nonces}", stale=true`);
    });
    await expect(watch(at(heard))).rejects.toMatchObject({ code: 'stream_not_found' });
    expect(heard.requests).toHaveLength(3);
  });

  it('that the address does not have is asked for', async () => {
    const heard = await server(() => wants('Basic realm="x"'));
    await expect(watch(at(heard).replace('admin:Secret9@', ''))).rejects.toMatchObject({ code: 'stream_auth', message: 'the camera wants a user name and password, which its address does not have (user:password@ before its host)' });
    expect(heard.requests).toHaveLength(1);
  });

  it('of a kind that nobody can do is not blamed', async () => {
    await expect(watch(at(await server(() => wants('Negotiate'))))).rejects.toMatchObject({ code: 'stream_auth', message: expect.stringMatching(/^the camera wants a login \(negotiate\) that Lookout cannot do/) as string });
  });

  it('is told to nobody to whom the camera sends us on', async () => {
    const stranger = await server(() => wants('Basic realm="x"'));
    const heard = await server(() => movedTo(`rtsp://127.0.0.1:${stranger.port}/cam`));
    await expect(watch(at(heard))).rejects.toMatchObject({ code: 'stream_auth', message: expect.stringContaining('the one of the camera\'s address is for 127.0.0.1 alone') as string });
    expect(stranger.requests).toHaveLength(1);
    expect(stranger.requests.join()).not.toMatch(/authorization/i);
  });
});

describe('a camera that sends us on', () => {
  it('is followed up to the picture', async () => {
    const open = await startDemoCamera({ cameras: { street: SCENE } }, never);
    onTestFinished(open.close);
    const { units, stop } = await watch(at(await server(() => movedTo(open.url('street')))), { seconds: 0.5 });
    expect(units.length).toBeGreaterThan(3);
    await stop();
  });

  it('is left when it does so a fourth time', async () => {
    const heard: Heard = await server(() => movedTo(at(heard)));
    await expect(watch(at(heard))).rejects.toMatchObject({ code: 'stream_connect', message: 'the camera sends us on and on: more than 3 redirects' });
    expect(heard.requests).toHaveLength(4);
  });

  it.each([
    ['out of RTSP', 'http://127.0.0.1/', 'forbidden_scheme'],
    ['to what is no address', 'nowhere', 'forbidden_scheme'],
    ['to the cloud\'s secrets', 'rtsp://169.254.169.254/', 'forbidden_address'],
    ['to Lookout', `rtsp://127.0.0.1:${BOUNDS.port}/`, 'forbidden_address'],
  ])('is not followed %s', async (_what, location, code) => {
    await expect(watch(at(await server(() => movedTo(location))), { bounds: BOUNDS })).rejects.toMatchObject({ code });
  });
});

describe.concurrent('a stream', () => {
  it.each<readonly [FaultName, object | undefined]>([
    ['ends', undefined],
    ['ends-at-once', { code: 'stream_connect', message: 'the camera ended the connection before its first picture: it may be starting, or have too many viewers' }],
  ])('that %s is said to have ended', async (name, error) => {
    const { packets } = faultOf(name);
    const relay = await relayed(name === 'ends' ? { packets: () => (packet, sinceMs) => (sinceMs > 400 ? 'cut' : [packet.bytes]) } : { ...(packets && { packets }) });
    const { playing } = await watch(relay.url, { seconds: 5 });
    expect(await playing.ended.catch((failure: unknown) => failure)).toEqual(error === undefined ? undefined : expect.objectContaining(error));
  });

  it.each<FaultName>(['lost', 'late', 'swapped'])('with packets that are %s has damaged units, and whole ones after them', async (name) => {
    const { units, stop } = await watch((await withFault(name)).url);
    const afterDamage = (): readonly Unit[] => units.slice(units.findIndex((unit) => unit.damaged)).slice(1);
    await until(() => units.some((unit) => unit.damaged) && afterDamage().some((unit) => unit.key && !unit.damaged), 20_000, () => `${units.length} units, ${units.filter((unit) => unit.damaged).length} of them damaged`);
    await stop();
  });

  it('whose times wrap goes on', async () => {
    const { units, stop } = await watch((await withFault('time-wraps')).url, { seconds: 1.5 });
    await stop();
    const steps = units.slice(1).map(({ ptsSeconds }, index) => ptsSeconds - (units[index]?.ptsSeconds ?? NaN));
    expect(steps.every((step) => step > 0 && step < 0.5)).toBe(true);
    expect(units.some(({ damaged }) => damaged)).toBe(false);
  });

  it('of noise is borne', async () => {
    const { playing, stop } = await watch((await withFault('garbage')).url, { seconds: 1 });
    expect(playing.codec).toBe('h264');
    await stop();
  });

  it('whose packets lie about their length is whole again after them', async () => {
    let packets = 0;
    const relay = await relayed({
      packets: () => ({ channel, bytes }) => {
        packets += 1;
        if (channel !== 0 || packets % 20 !== 7) return [bytes];
        const copy = Buffer.from(bytes);
        copy.writeUInt16BE(packets % 40 === 7 ? bytes.length + 300 : 20, 2);
        return [copy];
      },
    });
    const { units, stop } = await watch(relay.url);
    await until(() => units.some(({ damaged }) => damaged) && units.filter(({ damaged, key }) => key && !damaged).length > 1, 20_000, () => `${units.length} units`);
    await stop();
  });

  it('that goes over to another size brings other parameter sets', async () => {
    const relay = await relayed({}, 'size');
    const before = await watch(relay.url, { seconds: 0.6 });
    const sets = before.playing.parameterSets();
    await relay.become(faultOf('other-size'));
    await until(() => !before.playing.parameterSets().equals(sets), 20_000, () => 'the same parameter sets');
    await before.stop();
  });
});

describe('a stream', () => {
  it('whose pictures never end is ended', async () => {
    const heard = await cameraThatSends((socket) => {
      let sequence = 0;
      const write = (): void => {
        const payload = Buffer.alloc(60_000, sequence === 0 ? 0x85 : 0x05);
        payload[0] = 0x7c;
        const packet = rtp({ sequence, payload });
        sequence += 1;
        if (socket.write(Buffer.concat([Buffer.from([0x24, 0, packet.length >> 8, packet.length & 0xff]), packet]))) setImmediate(write);
        else socket.once('drain', write);
      };
      write();
    });
    const { playing: { ended }, units } = await watch(at(heard), { seconds: 20 });
    await expect(ended).rejects.toMatchObject({ code: 'stream_codec', message: 'it sends pictures of more than 16 MB, or such as never end' });
    expect(units).toEqual([]);
  });

  it('of which each byte comes alone is played', async () => {
    const heard = await cameraThatSends((socket) => {
      const packets = [...picture(0, 0, [Buffer.from([0x65, 0x88, 1])]), ...picture(1, 3600, [Buffer.from([0x41, 0x88, 1])])].map(rtp);
      const bytes = Buffer.concat(packets.flatMap((packet) => [Buffer.from([0x24, 0, 0, packet.length]), packet]));
      void (async () => {
        for (const byte of bytes) {
          socket.write(Buffer.from([byte]));
          await sleep(1);
        }
        socket.end();
      })();
    });
    const { playing: { ended }, units } = await watch(at(heard), { seconds: 20 });
    await ended;
    expect(units.map(bytesOf)).toEqual([annexB(Buffer.from([0x65, 0x88, 1])), annexB(Buffer.from([0x41, 0x88, 1]))]);
  });

  it('of a camera that asks and never reads is ended', async () => {
    const questions = 'OPTIONS * RTSP/1.0\r\n\r\n'.repeat(3000);
    const heard = await cameraThatSends((socket) => {
      socket.pause();
      const ask = (): void => { if (!socket.destroyed) socket.write(questions, ask); };
      ask();
    });
    const { playing: { ended } } = await watch(at(heard), { seconds: 20 });
    await expect(ended).rejects.toMatchObject({ code: 'stream_ended', message: 'the camera asks and asks, and reads no answer' });
  });

  it('is not begun for who has gone away', async () => {
    const relay = await withFault('play-unanswered');
    const stopped = new AbortController();
    const began = performance.now();
    const watching = watch(relay.url, { signal: stopped.signal });
    await expect.poll(() => relay.methods).toContain('PLAY');
    stopped.abort(new Error('enough'));
    await expect(watching).rejects.toThrow('enough');
    expect(performance.now() - began).toBeLessThan(5000);
  });
});
