import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { promisify } from 'node:util';
import { imageSize } from 'image-size';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { create } from '../../src/sources/http.ts';
import type { CapturedFrame } from '../../src/types.ts';
import { sourceContract } from '../contracts/source.ts';
import { makePicture, numbered, numberOf, sendParts, startHttpCamera, type HttpCamera } from '../helpers/http-camera.ts';
import { failureOf, firstFrames, jpegOf, BOUNDS, never, PICTURES, streamOf } from './streams.ts';

let jpeg: Buffer;
let png: Buffer;
beforeAll(async () => {
  [jpeg, png] = await Promise.all([makePicture('mjpeg', '640x360'), makePicture('png', '320x180')]);
});

const cleanup: (() => unknown)[] = [];
afterAll(() => Promise.all(cleanup.map((close) => close())));

async function camera(answer: Parameters<typeof startHttpCamera>[0]): Promise<HttpCamera> {
  const started = await startHttpCamera(answer);
  cleanup.push(started.close);
  return started;
}

/** Answers every connection with these bytes. */
async function saying(bytes: Buffer): Promise<string> {
  const server = createServer((socket) => { socket.once('data', () => { socket.end(bytes); }); }).listen(0, '127.0.0.1');
  cleanup.push(() => server.close());
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

function frames(url: string, interval_seconds = 0.5, { signal = never, max_width = null as number | null } = {}): AsyncIterable<CapturedFrame> {
  return create({ config: { ...PICTURES, ...BOUNDS, max_width, allow_schemes: [] } }).frames(streamOf(url, { interval_seconds }), tmpdir(), signal);
}

/** A picture of 64 x 32 that lies turned in its file, and says so in its EXIF. */
async function painted(orientation: number): Promise<Buffer> {
  const [hflip, vflip] = ['hflip', 'vflip'];
  // The way back of what the orientation asks for.
  const undo = ['null', 'null', hflip, `${hflip},${vflip}`, vflip, 'transpose=0', 'transpose=2', 'transpose=3', 'transpose=1'][orientation] ?? 'null';
  const source = 'color=red:s=64x32,drawbox=0:16:32:16:blue:t=fill,drawbox=32:16:32:16:lime:t=fill';
  const { stdout } = await promisify(execFile)('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', source, '-vf', undo, '-frames:v', '1', '-q:v', '2', '-f', 'mjpeg', 'pipe:1'], { encoding: 'buffer' });
  const exif = Buffer.concat([Buffer.from('Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0', 'latin1'), Buffer.from([orientation, 0, 0, 0, 0, 0, 0, 0])]);
  return Buffer.concat([stdout.subarray(0, 2), Buffer.from([0xff, 0xe1, 0, exif.length + 2]), exif, stdout.subarray(2)]);
}

/** Colours above left, above right, below left, below right. */
function cornersOf(picture: Uint8Array): readonly string[] {
  const decoded = execFileSync('ffmpeg', ['-v', 'error', '-noautorotate', '-i', 'pipe:0', '-vf', 'format=rgb24,scale=2:2:flags=area', '-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1'], { input: picture });
  return [0, 3, 6, 9].map((at) => (['red', 'lime', 'blue'] as const)[[0, 1, 2].reduce((most, part) => (decoded.readUInt8(at + part) > decoded.readUInt8(at + most) ? part : most), 0)] ?? '');
}

const takenAt = ({ captured_at }: CapturedFrame): number => Date.parse(captured_at);
const send = (response: ServerResponse, type: string, body: Uint8Array | string): void => { response.setHeader('content-type', type).end(body); };

sourceContract('HTTP streams', async () => {
  const peer = await startHttpCamera((_, response) => { sendParts(response, 100, () => jpeg); });
  return { url: peer.url('/stream'), close: peer.close };
});

sourceContract('HTTP snapshots', async () => {
  const peer = await startHttpCamera((_, response) => { setTimeout(() => { send(response, 'image/jpeg', jpeg); }, 100); });
  return { url: peer.url('/snapshot'), close: peer.close };
});

describe.concurrent('an MJPEG stream', () => {
  it('gives one picture for each tick of a fixed schedule, byte for byte', async () => {
    const sent: Buffer[] = [];
    const { url } = await camera((_, response) => {
      sendParts(response, 50, (index) => (sent[index] = numbered(jpeg, index)));
    });
    const taken = await firstFrames(frames(url()), 7);
    const first = taken[0] ? takenAt(taken[0]) : 0;
    taken.forEach((frame, index) => {
      expect(sent[numberOf(jpegOf(frame))]?.equals(jpegOf(frame))).toBe(true);
      expect(frame).toMatchObject({ width: 640, height: 360, mode: 'MJPEG', missed: 0 });
      const lateMs = takenAt(frame) - first - index * 500;
      expect(lateMs).toBeGreaterThan(-100);
      expect(lateMs).toBeLessThan(400);
    });
  });

  it('is read on while nobody takes', async () => {
    let sent = 0;
    const { url } = await camera((_, response) => {
      sendParts(response, 20, (index) => numbered(jpeg, (sent = index)));
    });
    const running = frames(url(), 0.3)[Symbol.asyncIterator]();
    await running.next();
    await systemClock.sleep(2000, never);
    const { value } = await running.next() as { value: CapturedFrame };
    expect(sent - numberOf(jpegOf(value))).toBeLessThan(40);
    expect(value.missed).toBeGreaterThanOrEqual(3);
    await running.return?.();
  });

  it('is scaled down to the width that is asked for', async () => {
    const { url } = await camera((_, response) => { sendParts(response, 50, () => jpeg); });
    const [frame] = await firstFrames(frames(url(), 0.5, { max_width: 320 }), 1);
    expect(frame).toMatchObject({ width: 320, height: 180 });
    expect(frame && imageSize(jpegOf(frame))).toMatchObject({ type: 'jpg', width: 320, height: 180 });
  });

  it('may hold parts that are no pictures', async () => {
    const { url } = await camera((_, response) => {
      sendParts(response, 50, (index) => (index % 3 === 2 ? numbered(jpeg, index) : index % 3 === 1 ? jpeg.subarray(0, 12) : Buffer.from('motion=1')));
    });
    const taken = await firstFrames(frames(url(), 0.3), 4);
    expect(taken.map((frame) => numberOf(jpegOf(frame)) % 3)).toEqual([2, 2, 2, 2]);
  });

  it('may tear pictures, which are left out', async () => {
    const { url } = await camera((_, response) => {
      sendParts(response, 50, (index) => (index % 2 === 0 ? numbered(jpeg, index).subarray(0, jpeg.length / 2) : numbered(jpeg, index)));
    });
    const taken = await firstFrames(frames(url(), 0.3), 4);
    expect(taken.map((frame) => numberOf(jpegOf(frame)) % 2)).toEqual([1, 1, 1, 1]);
  });

  it('that falls silent or never begins has stalled', async () => {
    const silent = await camera((_, response) => { sendParts(response, 50, (index) => (index < 20 ? jpeg : null)); });
    const mute = await camera(() => undefined);
    const parts = await camera((_, response) => { sendParts(response, 500, () => Buffer.from('motion=1')); });
    const began = Date.now();
    const after = async (url: string): Promise<number> => {
      expect(await failureOf(frames(url))).toMatchObject({ code: 'stream_stalled', message: expect.stringMatching(/^no picture came for \d+ s$/) as string });
      return Date.now() - began;
    };
    const [afterPictures, atStart, withoutPictures] = await Promise.all([silent, mute, parts].map(({ url }) => after(url())));
    expect(afterPictures).toBeGreaterThan(5500);
    expect(afterPictures).toBeLessThan(10_000);
    for (const ms of [atStart, withoutPictures]) {
      expect(ms).toBeGreaterThan(14_500);
      expect(ms).toBeLessThan(20_000);
    }
  });

  it('that the camera ends or breaks off has ended', async () => {
    const ending = await camera((_, response) => { sendParts(response, 20, (index) => { if (index === 5) response.end(); return index < 5 ? jpeg : null; }); });
    expect(await failureOf(frames(ending.url()))).toMatchObject({ code: 'stream_ended', message: 'the camera ended the stream' });
    const breaking = await camera((_, response) => { sendParts(response, 20, (index) => { if (index === 5) response.destroy(); return jpeg; }); });
    expect(await failureOf(frames(breaking.url()))).toMatchObject({ code: 'stream_ended', message: expect.stringContaining('the stream broke off: ') as string });
  });

  it.each<[string, string | null, string, string]>([
    ['another boundary than its header says', 'boundary=frame', '--myboundary', '\r\n--myboundary'],
    ['the boundary without its dashes', 'boundary=frame', 'frame', '\r\nframe'],
    ['a boundary that its header does not name', '', '--x y', '\r\n--x y'],
    ['a boundary with a blank', 'boundary=--video boundary--', '--video boundary--', '\r\n--video boundary--'],
    ['no boundary before its first part', 'boundary=cut', '', '\r\n--cut'],
    ['no label at all', null, '--cut', '\r\n--cut'],
  ])('is read with %s', async (_name, parameter, first, between) => {
    const { url } = await camera((_, response) => {
      if (parameter !== null) response.setHeader('content-type', `multipart/x-mixed-replace;${parameter}`);
      response.write(first + (first ? '\r\n' : ''));
      const timer = setInterval(() => { response.write(Buffer.concat([Buffer.from('Content-Type: image/jpeg\r\n\r\n'), jpeg, Buffer.from(`${between}\r\n`)])); }, 50);
      response.once('close', () => { clearInterval(timer); });
    });
    const taken = await firstFrames(frames(url(), 0.2), 2);
    expect(taken.map((frame) => jpeg.equals(jpegOf(frame)))).toEqual([true, true]);
  });

  it('gives a picture without a length as soon as it is whole, not when the next one begins', async () => {
    const { url } = await camera((_, response) => {
      response.writeHead(200, { 'content-type': 'multipart/x-mixed-replace; boundary=cut' });
      const begin = '--cut\r\nContent-Type: image/jpeg\r\n\r\n';
      response.write(Buffer.concat([Buffer.from(begin), jpeg.subarray(0, -1)]));
      setTimeout(() => { response.write(jpeg.subarray(-1)); }, 200);
      setTimeout(() => { response.write(Buffer.concat([Buffer.from(`\r\n${begin}`), jpeg])); }, 3000);
    });
    const began = Date.now();
    const taken = await firstFrames(frames(url(), 0.5), 1);
    expect(Date.now() - began).toBeLessThan(2500);
    expect(taken.map((frame) => jpeg.equals(jpegOf(frame)))).toEqual([true]);
  });

  it('needs a boundary, in its header or in itself', async () => {
    const { url } = await camera((_, response) => { response.writeHead(200, { 'content-type': 'multipart/x-mixed-replace' }).write('Content-Type: image/jpeg\r\n\r\n'); });
    expect(await failureOf(frames(url()))).toMatchObject({ code: 'stream_codec', message: 'the camera answers with a multipart stream and does not say what parts it' });
  });
});

describe.concurrent('a snapshot address', () => {
  it('is asked once for each tick of a fixed schedule, over one connection', async () => {
    let pictures = 0;
    const { url, requests } = await camera((_, response) => {
      // Longer than two intervals for the third: one tick is left out, and the others stay where they are.
      const delayMs = pictures === 2 ? 1200 : 100;
      const body = numbered(jpeg, pictures);
      pictures += 1;
      setTimeout(() => { send(response, 'image/jpeg; charset=binary', body); }, delayMs);
    });
    const taken = await firstFrames(frames(url('/cgi?id=1'), 0.5), 6);
    expect(taken.map((frame) => numberOf(jpegOf(frame)))).toEqual([0, 1, 2, 3, 4, 5]);
    expect(taken.every(({ missed, mode, width, height }) => missed === 0 && mode === 'snapshots' && width === 640 && height === 360)).toBe(true);
    expect(new Set(requests.map(({ port }) => port)).size).toBe(1);
    expect(requests.map((request) => request.url)).toEqual(Array(6).fill('/cgi?id=1'));
    // The schedule begins with the first answer.
    const start = (requests[0]?.atMs ?? 0) + 100;
    for (const [index, tick] of [0, 1, 2, 4, 5, 6].entries()) {
      const lateMs = (requests[index]?.atMs ?? 0) - start - tick * 500;
      expect(lateMs).toBeGreaterThan(-150);
      expect(lateMs).toBeLessThan(400);
    }
  });

  it('may give PNG, which becomes JPEG', async () => {
    const { url } = await camera((_, response) => { send(response, 'image/png', png); });
    const [frame] = await firstFrames(frames(url()), 1);
    expect(frame).toMatchObject({ width: 320, height: 180 });
    expect(frame && imageSize(jpegOf(frame))).toMatchObject({ type: 'jpg', width: 320, height: 180 });
  });

  it('is asked anew when the camera closes the kept connection just then', async () => {
    const used = new Set<number | undefined>();
    const { url, requests } = await camera(({ socket }, response) => {
      if (used.has(socket.remotePort)) socket.destroy();
      else send(response, 'image/jpeg', jpeg);
      used.add(socket.remotePort);
    });
    await firstFrames(frames(url(), 0.1), 3);
    expect(requests.map(({ port }) => port)).toEqual([0, 0, 1, 1, 2].map((connection) => [...used][connection]));
  });

  /** What it does with a picture out of turn, and how that is counted. */
  const FAULTS: readonly (readonly [string, string, (response: ServerResponse) => void])[] = [
    ['refuses it as busy', 'picture_refused', (response) => { response.writeHead(503).end('busy'); }],
    ['fails', 'picture_refused', (response) => { response.writeHead(500).end(); }],
    ['hangs up in the midst of it', 'picture_torn', (response) => {
      response.writeHead(200, { 'content-type': 'image/jpeg', 'content-length': jpeg.length });
      response.write(jpeg.subarray(0, 2000), () => response.destroy());
    }],
    ['sends half of it', 'picture_torn', (response) => { send(response, 'image/jpeg', jpeg.subarray(0, 2000)); }],
    ['sends nothing', 'picture_unreadable', (response) => { send(response, 'image/jpeg', ''); }],
    ['sends a page instead', 'picture_unreadable', (response) => { send(response, 'text/html', '<h1>busy</h1>'.padEnd(5000)); }],
  ];

  it.for(FAULTS)('costs a tick, and no more, where the camera %s', async ([_name, reason, fault], { expect }) => {
    let requests = 0;
    const { url, connections } = await camera((_, response) => {
      requests += 1;
      // The second, fourth and fifth.
      if ([2, 4, 5].includes(requests)) fault(response);
      else send(response, 'image/jpeg', numbered(jpeg, requests));
    });
    const taken: CapturedFrame[] = [];
    for await (const frame of frames(url(), 0.1)) {
      if (taken.push(frame) < 4) continue;
      // More than one where a request was due before the answer to the one before had been read.
      await expect.poll(connections).toBeLessThan(3);
      break;
    }
    expect(taken.map((frame) => numberOf(jpegOf(frame)))).toEqual([1, 3, 6, 7]);
    expect(taken.map(({ failed }) => failed)).toEqual([{}, { [reason]: 1 }, { [reason]: 2 }, {}]);
  });

  it('is asked once more on a new connection before a closed one costs a tick', async () => {
    let requests = 0;
    const { url } = await camera((_, response) => {
      requests += 1;
      if ([2, 4, 5].includes(requests)) response.destroy();
      else send(response, 'image/jpeg', numbered(jpeg, requests));
    });
    const taken = await firstFrames(frames(url(), 0.1), 4);
    expect(taken.map((frame) => numberOf(jpegOf(frame)))).toEqual([1, 3, 6, 7]);
    expect(taken.map(({ failed }) => failed)).toEqual([{}, {}, { picture_refused: 1 }, {}]);
  });

  it.for([302, 503])('keeps no connection whose answer is %i and never ends', async (status, { expect }) => {
    let asked = 0;
    const { url, connections } = await camera(({ url: path }, response) => {
      asked += path === '/' ? 1 : 0;
      if (path === '/picture' || (status === 503 && asked % 2 === 1)) send(response, 'image/jpeg', jpeg);
      else response.writeHead(status, { location: '/picture' }).write('one moment');
    });
    const running = frames(url(), 0.1)[Symbol.asyncIterator]();
    for (let count = 0; count < 6; count += 1) expect((await running.next()).done).toBe(false);
    // Nothing is asked for while nobody takes.
    await expect.poll(connections, { timeout: 5000 }).toBeLessThan(3);
    await running.return?.();
  });

  it.each<[string, (picture: Buffer, response: ServerResponse) => void]>([
    ['without a length, and leaves the connection open', (picture, response) => { response.socket?.write(Buffer.concat([Buffer.from('HTTP/1.0 200 OK\r\nContent-Type: image/jpeg\r\n\r\n'), picture])); }],
    ['in chunks, and leaves the connection open', (picture, response) => { response.writeHead(200, { 'content-type': 'image/jpeg' }).write(picture); }],
    ['with a length that is too great, and leaves the connection open', (picture, response) => { response.writeHead(200, { 'content-type': 'image/jpeg', 'content-length': picture.length + 100 }).write(picture); }],
    ['with a length that is too great, and breaks off', (picture, response) => {
      response.writeHead(200, { 'content-type': 'image/jpeg', 'content-length': picture.length + 100 }).write(picture, () => { response.destroy(); });
    }],
    ['again and again in one answer', (picture, response) => {
      const timer = setInterval(() => { response.write(picture); }, 20);
      response.writeHead(200, { 'content-type': 'image/jpeg' }).once('close', () => { clearInterval(timer); });
    }],
    ['as bytes', (picture, response) => { send(response, 'application/octet-stream', picture); }],
    ['without a type', (picture, response) => { response.end(picture); }],
    ['as text, a piece at a time', (picture, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' }).write(picture.subarray(0, 1));
      setTimeout(() => { response.end(picture.subarray(1)); }, 20);
    }],
  ])('may give pictures %s', async (_name, give) => {
    const { url, connections } = await camera((_, response) => { give(jpeg, response); });
    const began = Date.now();
    const running = frames(url(), 0.2)[Symbol.asyncIterator]();
    for (let count = 0; count < 4; count += 1) {
      const { value } = await running.next() as { value: CapturedFrame };
      expect(jpegOf(value).length).toBe(jpeg.length);
      expect(value.failed).toEqual({});
    }
    expect(Date.now() - began).toBeLessThan(3000);
    expect(await connections()).toBeLessThanOrEqual(1);
    await running.return?.();
  });

  it('may give a PNG without a length, and leaves the connection open', async () => {
    const { url } = await camera((_, response) => { response.writeHead(200, { 'content-type': 'image/png' }).write(png); });
    expect(await firstFrames(frames(url(), 0.2), 2)).toMatchObject([{ width: 320 }, { width: 320 }]);
  });

  it('that fails time after time is dead, and at once where nothing would mend it', async () => {
    const after = (status: number): Promise<{ readonly requests: number; readonly failure: unknown }> => {
      let requests = 0;
      return camera((_, response) => {
        requests += 1;
        if (requests < 3) send(response, 'image/jpeg', jpeg);
        else response.writeHead(status).end();
      }).then(async ({ url }) => ({ failure: await failureOf(frames(url(), 0.1)), requests }));
    };
    expect(await after(503)).toMatchObject({ requests: 7, failure: { code: 'stream_connect', message: expect.stringContaining('503') as string } });
    expect(await after(401)).toMatchObject({ requests: 3, failure: { code: 'stream_auth' } });
    expect(await after(404)).toMatchObject({ requests: 3, failure: { code: 'stream_not_found' } });
  });

  it('that was given up tells with its next picture what failed before', async () => {
    let requests = 0;
    const { url } = await camera((_, response) => {
      requests += 1;
      if (requests > 1 && requests < 7) response.writeHead(503).end();
      else send(response, 'image/jpeg', jpeg);
    });
    const source = create({ config: { ...PICTURES, ...BOUNDS, allow_schemes: [] } });
    const stream = streamOf(url(), { interval_seconds: 0.1 });
    const connect = (): AsyncIterable<CapturedFrame> => source.frames(stream, tmpdir(), never);
    expect(await failureOf(connect())).toMatchObject({ code: 'stream_connect' });
    expect((await firstFrames(connect(), 2)).map(({ failed }) => failed)).toEqual([{ picture_refused: 5 }, {}]);
  });

  it.each<[string, () => Buffer]>([
    ['thousands of bytes after its end', () => Buffer.concat([jpeg, Buffer.alloc(20_000, 7)])],
    ['an empty line before it', () => Buffer.concat([Buffer.from('\r\n'), jpeg])],
    ['a comment that is longer than it says', () => Buffer.concat([jpeg.subarray(0, 2), Buffer.from([0xff, 0xfe, 0, 100]), Buffer.alloc(700), jpeg.subarray(2)])],
    ['a small picture in its header', () => Buffer.concat([jpeg.subarray(0, 2), Buffer.from([0xff, 0xe1, 0, 12]), Buffer.from([0xff, 0xd8, 0xff, 0xda, 0, 2, 0, 0, 0xff, 0xd9]), jpeg.subarray(2)])],
  ])('may give a picture with %s, and not a torn one of that kind', async (_name, made) => {
    const { url } = await camera(({ url: path }, response) => { send(response, 'image/jpeg', path === '/torn' ? made().subarray(0, jpeg.length - 500) : made()); });
    const [frame] = await firstFrames(frames(url()), 1);
    expect(frame).toMatchObject({ width: 640, height: 360 });
    if (_name !== 'thousands of bytes after its end') expect(await failureOf(frames(url('/torn')))).toMatchObject({ code: 'stream_ended', message: 'the picture is torn: its end is missing' });
  });

  it.each([2, 3, 4, 5, 6, 7, 8])('may give a turned picture, which is turned upright: orientation %i', async (orientation) => {
    // Red above, blue below left and green below right, as it should be seen.
    const upright = ['red', 'red', 'blue', 'lime'];
    const turned = await painted(orientation);
    const { url } = await camera((_, response) => { send(response, 'image/jpeg', turned); });
    const [frame] = await firstFrames(frames(url()), 1);
    expect(frame).toMatchObject({ width: 64, height: 32 });
    const shown = frame ? jpegOf(frame) : turned;
    expect(imageSize(shown)).toMatchObject({ width: 64, height: 32 });
    expect(imageSize(shown).orientation ?? 1).toBe(1);
    expect(cornersOf(shown)).toEqual(upright);
  });

  it('that gives no picture fails with what it gave', async () => {
    const answers = { '/empty': '', '/text': 'no picture today' };
    const { url } = await camera(({ url: path = '' }, response) => { send(response, 'image/jpeg', answers[path as keyof typeof answers]); });
    for (const path of Object.keys(answers)) {
      expect(await failureOf(frames(url(path)))).toMatchObject({ code: 'stream_codec', message: 'the camera\'s picture is neither a JPEG nor a PNG picture' });
    }
    const damaged = await camera((_, response) => { send(response, 'image/png', png.subarray(0, 60)); });
    expect(await failureOf(frames(damaged.url()))).toMatchObject({ code: 'stream_codec', message: expect.stringMatching(/^the camera's picture cannot be decoded: .*ffmpeg/) as string });
    const breaking = await camera((_, response) => {
      response.writeHead(200, { 'content-type': 'image/jpeg', 'content-length': jpeg.length }).write(jpeg.subarray(0, 100), () => { response.destroy(); });
    });
    expect((await failureOf(frames(breaking.url()))).code).toBe('stream_ended');
    // Without a length, its end is where the connection's is.
    const half = await saying(Buffer.concat([Buffer.from('HTTP/1.0 200 OK\r\nContent-Type: image/jpeg\r\n\r\n'), jpeg.subarray(0, jpeg.length / 2)]));
    expect(await failureOf(frames(half))).toMatchObject({ code: 'stream_ended', message: 'the picture is torn: its end is missing' });
  });
});

describe.concurrent('an address', () => {
  it('is refused with the reason', async () => {
    const { url } = await camera(({ url: path = '' }, response) => {
      if (path === '/page') send(response, 'text/html; charset=utf-8', '<html>');
      else if (path === '/video') send(response, 'video/mp4', 'x');
      else if (path === '/nothing') response.writeHead(204).end();
      else if (path === '/bytes') response.end('x');
      else response.writeHead(Number(path.slice(1))).end('sorry');
    });
    const failures = await Promise.all(['/401', '/403', '/404', '/503', '/page', '/video', '/nothing', '/bytes'].map((path) => failureOf(frames(url(path)))));
    const host = url('');
    expect(failures.map(({ code, message }) => `${code}: ${message.replaceAll(host, 'HOST')}`)).toEqual([
      'stream_auth: HOST wants a user name and password, which the URL does not have (user:password@ before its host): it answered 401 Unauthorized',
      'stream_auth: HOST wants a user name and password, which the URL does not have (user:password@ before its host): it answered 403 Forbidden',
      'stream_not_found: HOST does not know this path: it answered 404 Not Found',
      'stream_connect: HOST gives no picture: it answered 503 Service Unavailable',
      'stream_codec: the camera answers with text/html, which is no picture (JPEG, PNG), no MJPEG stream and no video that is known (MP4, MPEG-TS, FLV, Matroska, HLS)',
      'stream_codec: the camera answers with video/mp4, which is no picture (JPEG, PNG), no MJPEG stream and no video that is known (MP4, MPEG-TS, FLV, Matroska, HLS)',
      'stream_codec: the camera answers with something without a content type, which is no picture (JPEG, PNG), no MJPEG stream and no video that is known (MP4, MPEG-TS, FLV, Matroska, HLS)',
      'stream_codec: the camera answers with something without a content type, which is no picture (JPEG, PNG), no MJPEG stream and no video that is known (MP4, MPEG-TS, FLV, Matroska, HLS)',
    ]);
  });

  it('is told in short, whatever the camera says', async () => {
    const { url } = await camera(({ url: path = '' }, response) => {
      if (path === '/type') send(response, 'x'.repeat(10_000), 'x');
      else if (path === '/login') response.writeHead(401, { 'www-authenticate': `${'x'.repeat(10_000)} realm="r"` }).end();
      else response.writeHead(302, { location: path === '/host' ? `http://${'x'.repeat(10_000)}/` : `${'x'.repeat(10_000)}:y` }).end();
    });
    for (const path of ['/type', '/login', '/host', '/scheme']) {
      const { message } = await failureOf(frames(url(path, 'me:geheim-9@')));
      expect(message).toContain('xxx');
      expect(message.length).toBeLessThan(1500);
    }
  });

  it('where nobody listens, or nobody speaks HTTP, cannot be reached', async () => {
    const gone = await startHttpCamera(() => undefined);
    await gone.close();
    expect(await failureOf(frames(gone.url()))).toMatchObject({ code: 'stream_connect', message: expect.stringContaining('ECONNREFUSED') as string });
    expect((await failureOf(frames(await saying(Buffer.from('RTSP/1.0 400 Bad Request\r\n\r\n'))))).code).toBe('stream_connect');
    expect((await failureOf(frames('http://no-such-camera.invalid/'))).code).toBe('stream_connect');
  });

  it('of an old camera that ends its lines in its own way is read', async () => {
    const url = await saying(Buffer.concat([Buffer.from('HTTP/1.0 200 OK\nContent-type: image/jpeg\nServer: caméra\n\n'), jpeg]));
    expect(await firstFrames(frames(url), 2)).toHaveLength(2);
  });

  it('may send on, but not to where nobody should look', async () => {
    const other = await camera((_, response) => { send(response, 'image/jpeg', jpeg); });
    const targets: Readonly<Record<string, string>> = { '/near': 'picture', '/far': other.url('/x'), '/round': '/round', '/file': 'file:///etc/hostname', '/odd': 'http://[' };
    const { url, requests } = await camera(({ url: path = '' }, response) => {
      const location = targets[path];
      if (location !== undefined) response.writeHead(302, { location }).end();
      else if (path !== '/picture') response.writeHead(302).end();
      else send(response, 'image/jpeg', jpeg);
    });
    await firstFrames(frames(url('/near', 'u:secret@')), 2);
    expect(requests.map((request) => request.url)).toEqual(['/near', '/picture', '/near', '/picture']);
    await firstFrames(frames(url('/far', 'u:secret@')), 1);
    const failures = await Promise.all(['/round', '/file', '/odd', '/nowhere'].map((path) => failureOf(frames(url(path, 'u:secret@')))));
    expect(failures.map(({ code }) => code)).toEqual(['stream_connect', 'forbidden_scheme', 'forbidden_scheme', 'stream_connect']);
    expect(failures.map(({ message }) => message).join()).not.toContain('secret');
  });

  it('may not lead a stream that was started over HTTP to Lookout or the cloud', async () => {
    const lookout = await camera((_, response) => { send(response, 'image/jpeg', jpeg); });
    const places = ['169.254.169.254', '[::ffff:a9fe:a9fe]', '2852039166', `127.0.0.1:${lookout.port}`, `localhost:${lookout.port}`, `0x7f000001:${lookout.port}`];
    const { url } = await camera(({ url: path = '' }, response) => { response.writeHead(302, { location: `http://${places[Number(path.slice(1))] ?? ''}/` }).end(); });
    const source = create({ config: { ...PICTURES, ...BOUNDS, port: lookout.port, allow_schemes: [] } });
    for (const index of places.keys()) {
      const stream = { ...streamOf(url(`/${index}`)), trusted: false };
      expect(await failureOf(source.frames(stream, tmpdir(), never))).toMatchObject({ code: 'forbidden_address', message: expect.stringContaining('allow_hosts') as string });
    }
    // Nor to what this machine keeps for itself, where there is a token for others.
    const shared = create({ config: { ...PICTURES, ...BOUNDS, token: 'sixteen-characters', allow_schemes: [] } });
    expect(await failureOf(shared.frames({ ...streamOf(lookout.url()), trusted: false }, tmpdir(), never))).toMatchObject({ code: 'forbidden_address' });
    expect(lookout.requests).toEqual([]);
  });

  it('gives its connection back within a second of the abort, and as soon as it is left', async ({ expect }) => {
    const { url, connections } = await camera((_, response) => { sendParts(response, 50, (index) => (index < 2 ? jpeg : null)); });
    const stop = new AbortController();
    const running = frames(url(), 0.01, { signal: stop.signal })[Symbol.asyncIterator]();
    await running.next();
    const waiting = running.next().then(() => running.next());
    await expect.poll(connections).toBe(1);
    stop.abort();
    expect(await waiting).toEqual({ done: true, value: undefined });
    await expect.poll(connections, { timeout: 1000 }).toBe(0);
    await firstFrames(frames(url()), 1);
    await expect.poll(connections, { timeout: 1000 }).toBe(0);
  });
});

describe.concurrent('credentials', () => {
  const password = 'p@ss/ wörd%';
  const login = `admin:${encodeURIComponent(password)}@`;

  it('answer a camera that asks for basic authentication, and are not shown to others', async () => {
    const expected = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`;
    const other = await camera((_, response) => { response.writeHead(401, { 'www-authenticate': 'Basic realm="camera"' }).end(); });
    const { url, requests } = await camera(({ headers, url: path }, response) => {
      if (headers.authorization !== expected) response.writeHead(401, { 'www-authenticate': 'Basic realm="camera"' }).end();
      else if (path === '/away') response.writeHead(302, { location: other.url('/', 'x:y@') }).end();
      else send(response, 'image/jpeg', jpeg);
    });
    await firstFrames(frames(url('/', login)), 3);
    expect(requests.map(({ authorization }) => authorization)).toEqual([undefined, expected, expected, expected]);
    expect((await failureOf(frames(url('/away', login)))).code).toBe('stream_auth');
    expect(other.requests.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  it('answer a camera that asks for a digest, also when its nonce has run out', async () => {
    const { url, requests } = await digestCamera(password, 3, jpeg);
    await firstFrames(frames(url('/a?b=c', login), 0.1), 7);
    // Each third answer ends the nonce.
    expect(requests.map(({ authorization }) => /nc=0*(\d+)/.exec(authorization ?? '')?.[1])).toEqual([undefined, '1', '2', '3', '4', '1', '2', '3', '4', '1']);
  });

  it('may hold a lone % beside other signs', async () => {
    const expected = `Basic ${Buffer.from('admin:50%ö%zz%C3').toString('base64')}`;
    const { url } = await camera(({ headers }, response) => {
      if (headers.authorization === expected) send(response, 'image/jpeg', jpeg);
      else response.writeHead(401, { 'www-authenticate': 'Basic realm="camera"' }).end();
    });
    await firstFrames(frames(url('/', 'admin:50%ö%zz%C3@')), 1);
  });

  it('that would end the line which tells them are refused in words', async () => {
    const { url, requests } = await digestCamera(password, 3, jpeg);
    for (const bad of ['adm%0d%0aX-Y:%20in:pw@', 'adm%00in:pw@', 'admin:p%0aw@']) {
      expect(await failureOf(frames(url('/', bad))), bad).toMatchObject({ code: 'stream_auth', message: expect.stringContaining('holds a line break, or another control character') as string });
    }
    expect(requests).toEqual([]);
  });

  it('that are wrong are refused and never shown', async () => {
    const { url } = await digestCamera('another', 3, jpeg);
    const failure = await failureOf(frames(url('/?pwd=hidden', login)));
    expect(failure).toMatchObject({ code: 'stream_auth', message: `${url('')} refuses the user name or password: it answered 401 Unauthorized` });
    const malformed = await failureOf(frames('http://admin:hid/den@camera/'));
    expect([malformed.code, malformed.message, String(malformed.cause)].join()).not.toMatch(/hid|den@/);
    const strange = await camera((_, response) => { response.writeHead(401, { 'www-authenticate': 'Digest realm="x", nonce="n", algorithm=SHA-512, qop="auth-int"' }).end(); });
    expect(await failureOf(frames(strange.url('/', login)))).toMatchObject({ code: 'stream_auth', message: expect.stringMatching(/^the camera wants a login \(digest SHA-512 with auth-int\) that Lookout cannot do/) as string });
  });
});

/** Accepts digest answers of `admin`, each nonce for so many requests. */
async function digestCamera(password: string, uses: number, picture: Buffer): Promise<HttpCamera> {
  const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
  let nonces = 0;
  let used = 0;
  return camera(({ headers, url = '', method = '' }, response) => {
    const field = (name: string): string => new RegExp(`\\b${name}="?([^",]*)`).exec(headers.authorization ?? '')?.[1] ?? '';
    const nonce = `nonce-${nonces}`;
    const expected = md5(`${md5(`admin:cam:${password}`)}:${nonce}:${field('nc')}:${field('cnonce')}:auth:${md5(`${method}:${url}`)}`);
    if (field('response') === expected && field('uri') === url && used < uses) {
      used += 1;
      send(response, 'image/jpeg', picture);
      return;
    }
    nonces += 1;
    used = 0;
    response.writeHead(401, { 'www-authenticate': `Digest realm="cam", nonce="nonce-${nonces}", qop="auth", stale=true` }).end();
  });
}
