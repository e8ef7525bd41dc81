/** Cameras over TLS, by https, rtsps and rtmps alike: whom they are taken for, and what their errors say is done, up to the picture. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:https';
import { connect, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDemoCamera } from '../../../src/demo/index.ts';
import { silentLog } from '../../../src/lib/log.ts';
import { create as createHttp } from '../../../src/sources/http.ts';
import { create as createRtmp } from '../../../src/sources/rtmp.ts';
import { create as createRtsp } from '../../../src/sources/rtsp.ts';
import type { CapturedFrame } from '../../../src/types.ts';
import { hasOpenssl } from '../../helpers/openssl.ts';
import { makePicture } from '../../helpers/http-camera.ts';
import { startRtmpServer } from '../../helpers/rtmp-server.ts';
import { watch } from '../rtsp/watching.ts';
import { BOUNDS, failureOf, firstFrames, inFolder, never, NO_RULES, PICTURES, streamOf, VIDEO } from '../streams.ts';

const run = promisify(execFile);
let folder: string;
/** `https://127.0.0.1:…/snap.jpg` and the like. */
let urls: Readonly<Record<'picture' | 'video' | 'rtsps' | 'rtmps', string>>;
let fingerprint: string;
/** What was sent over TLS, by whomever. */
let heard = '';
const cleanup: (() => unknown)[] = [];

beforeAll(async () => {
  if (!hasOpenssl) return;
  folder = await mkdtemp(join(tmpdir(), 'lookout-tls-'));
  await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'key.pem', '-out', 'camera.pem', '-days', '3', '-subj', '/CN=IPCAM', '-addext', 'subjectAltName=DNS:localhost'], { cwd: folder });
  fingerprint = (await run('openssl', ['x509', '-noout', '-fingerprint', '-sha256', '-in', 'camera.pem'], { cwd: folder })).stdout.trim().split('=')[1] ?? '';
  const [key, cert] = await Promise.all(['key.pem', 'camera.pem'].map((file) => readFile(join(folder, file))));
  await run('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=s=64x32:r=10:d=2', '-c:v', 'libx264', '-g', '5', '-pix_fmt', 'yuv420p', 'clip.mp4'], { cwd: folder });
  const bodies: Readonly<Record<string, Buffer>> = { '/snap.jpg': await makePicture('mjpeg', '64x32'), '/clip.mp4': await readFile(join(folder, 'clip.mp4')) };
  const https = createServer({ key, cert }, ({ url = '', headers: { range } }, response) => {
    heard += url;
    if (url === '/away') {
      response.writeHead(302, { location: `https://127.0.0.1:${strangerPort}/` }).end();
      return;
    }
    const [, from] = /bytes=(\d+)-/.exec(range ?? '') ?? [];
    const body = (bodies[url] ?? Buffer.alloc(0)).subarray(Number(from ?? 0));
    response.setHeader('content-length', body.length);
    if (from !== undefined) response.writeHead(206, { 'content-range': `bytes ${from}-${Number(from) + body.length - 1}/${Number(from) + body.length}` });
    response.end(body);
  });
  // On another port somebody else may listen.
  const stranger = createServer({ key, cert }, ({ headers: { authorization = 'nothing' } }, response) => {
    heard += authorization;
    response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
  });
  const strangerPort = await listening(stranger);
  const demo = await startDemoCamera({ auth: { user: 'admin', password: 'Secret9' }, cameras: { street: { kind: 'scene', width: 64, height: 32, keyframe_seconds: 1 } } }, never);
  const rtmp = await startRtmpServer('/live/street');
  const [rtsps, rtmps] = [overTls({ key, cert }, demo.port), overTls({ key, cert }, rtmp.port)];
  const [httpsPort, rtspsPort, rtmpsPort] = await Promise.all([listening(https), listening(rtsps), listening(rtmps)]);
  cleanup.push(demo.close, rtmp.close, () => { stranger.closeAllConnections(); stranger.close(); }, () => { https.closeAllConnections(); https.close(); rtsps.close(); rtmps.close(); });
  urls = { picture: `https://127.0.0.1:${httpsPort}/snap.jpg`, video: `https://127.0.0.1:${httpsPort}/clip.mp4`, rtsps: `rtsps://admin:Secret9@127.0.0.1:${rtspsPort}/street`, rtmps: `rtmps://127.0.0.1:${rtmpsPort}/live/street` };
});
afterAll(async () => {
  await Promise.all(cleanup.map((close) => close()));
  if (hasOpenssl) await rm(folder, { recursive: true, force: true });
});

async function listening(server: Server): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

/** In front of a server of this machine, which hears nothing of whoever says nothing. */
function overTls(identity: { readonly key: Buffer | undefined; readonly cert: Buffer | undefined }, port: number): Server {
  return createTlsServer(identity, (socket) => {
    socket.on('error', () => undefined).on('data', (bytes: Buffer) => { heard += bytes.toString('latin1'); });
    socket.once('data', (bytes: Buffer) => {
      const behind = connect(port, '127.0.0.1');
      behind.write(bytes);
      socket.on('error', () => behind.destroy()).pipe(behind).on('error', () => socket.destroy()).pipe(socket);
    });
  });
}

const SOURCES = { rtsps: createRtsp, rtmps: createRtmp, https: createHttp };

function frames(url: string, tls: string): AsyncIterable<CapturedFrame> {
  const create = SOURCES[url.split(':')[0] as keyof typeof SOURCES];
  const source = create({ config: { ...PICTURES, ...BOUNDS, ...VIDEO, allow_schemes: [], capture_engine: 'auto' }, log: silentLog, ...NO_RULES });
  return inFolder((own) => source.frames(streamOf(url, { interval_seconds: 1, tls }), own, never));
}

const widthOf = async (url: string, tls: string): Promise<number | undefined> => (await firstFrames(frames(url, tls), 1))[0]?.width;

describe.skipIf(!hasOpenssl)('a camera whose certificate signs itself (missed: openssl is not on the PATH)', () => {
  it.each(['picture', 'rtsps', 'rtmps'] as const)('is told nothing, and the error shows the fingerprint to pin: %s', async (kind) => {
    heard = '';
    const error = await failureOf(frames(urls[kind], 'verify'));
    expect(error.code).toBe('stream_connect');
    const [, tls = ''] = /its certificate is not trusted: it signs itself; if sha256:\w+ is the fingerprint that the camera itself shows, set "tls": "(sha256:[0-9a-f]{64})" in the stream's options$/.exec(error.message) ?? [];
    expect(heard).toBe('');
    expect(await widthOf(urls[kind], tls)).toBe(64);
  });

  it.each(['picture', 'video', 'rtsps'] as const)('is known by its fingerprint as openssl writes it, or by nothing: %s', async (kind) => {
    expect(await widthOf(urls[kind], `sha256:${fingerprint}`)).toBe(64);
    expect(await widthOf(urls[kind], 'off')).toBe(64);
  });

  it.each(['picture', 'rtsps', 'rtmps'] as const)('is not taken for another: %s', async (kind) => {
    heard = '';
    expect(await failureOf(frames(urls[kind], `sha256:${'ab'.repeat(32)}`))).toMatchObject({
      code: 'stream_connect', message: expect.stringContaining(`another than the one in tls: its fingerprint is sha256:${fingerprint.replaceAll(':', '').toLowerCase()}`) as string,
    });
    expect(heard).toBe('');
  });

  it('is known to our own client in the same ways', async () => {
    heard = '';
    await expect(watch(urls.rtsps)).rejects.toMatchObject({ code: 'stream_connect', message: expect.stringMatching(/its certificate is not trusted: it signs itself/) as string });
    await expect(watch(urls.rtsps, { tls: `sha256:${'ab'.repeat(32)}` })).rejects.toMatchObject({ code: 'stream_connect', message: expect.stringContaining('another than the one in tls') as string });
    expect(heard).toBe('');
    for (const tls of ['off', `sha256:${fingerprint}`]) {
      const { playing, stop } = await watch(urls.rtsps, { tls });
      expect(playing.codec).toBe('h264');
      await stop();
    }
  });

  it('tells its login to no other port', async () => {
    heard = '';
    const url = urls.picture.replace('https://', 'https://admin:Secret9@').replace('snap.jpg', 'away');
    expect(await failureOf(frames(url, 'off'))).toMatchObject({ code: 'stream_auth', message: expect.stringContaining('to which the camera sends us on, wants a login') as string });
    expect(heard).toBe('/awaynothing');
  });

  it('is trusted by NODE_EXTRA_CA_CERTS, and then its name is looked at', async () => {
    expect(await looked(urls.picture)).toContain('its certificate is not trusted: it is for localhost; write the address with such a name, or, if sha256:');
    for (const url of [urls.picture, urls.video]) expect(await looked(url.replace('127.0.0.1', 'localhost'))).toBe('64');
  });
});

/** What a Lookout that is started now says of the address: a frame's width, or its error. Node reads its certificates at the start. */
async function looked(url: string): Promise<string> {
  const program = `
    import { create } from ${JSON.stringify(join(import.meta.dirname, '../../../dist/sources/http.js'))};
    const stream = { camera_id: 'a', url: process.argv[1], trusted: true, models: [], options: { interval_seconds: 1, capture_mode: 'auto', transport: 'tcp', video_track: 1, tls: 'verify' } };
    try {
      for await (const { width } of create({ config: { jpeg_quality: 90, max_width: null, allow_schemes: [] } }).frames(stream, ${JSON.stringify(folder)}, new AbortController().signal)) {
        console.log(width);
        process.exit(0);
      }
    } catch (error) {
      console.log(error.message);
    }`;
  return (await run(process.execPath, ['--input-type=module', '-e', program, url], { cwd: folder, env: { ...process.env, NODE_EXTRA_CA_CERTS: join(folder, 'camera.pem') } })).stdout.trim();
}
