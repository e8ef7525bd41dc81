/** Cameras over TLS whose certificates nobody knows: what their errors say is done, up to the picture. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { certificateHint } from '../../../src/sources/http/certificate.ts';
import { hasOpenssl } from '../../helpers/openssl.ts';
import { makePicture } from '../../helpers/http-camera.ts';

const run = promisify(execFile);
let folder: string;
const cleanup: (() => unknown)[] = [];

beforeAll(async () => { folder = await mkdtemp(join(tmpdir(), 'lookout-tls-')); });
afterAll(async () => {
  await Promise.all(cleanup.map((close) => close()));
  await rm(folder, { recursive: true, force: true });
});

const request = (...words: readonly string[]): Promise<unknown> => run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'key.pem', '-out', 'camera.pem', ...words], { cwd: folder });

/** Its port. */
async function camera(...files: readonly string[]): Promise<number> {
  const bodies = { '/snap.jpg': await makePicture('mjpeg', '64x32'), '/clip.mp4': await clip() };
  const [key, cert] = await Promise.all(files.map((file) => readFile(join(folder, file))));
  const server = createServer({ key, cert }, ({ url = '' }, response) => {
    const body = bodies[url as keyof typeof bodies];
    response.setHeader('content-length', body.length).end(body);
  }).listen(0, '127.0.0.1');
  cleanup.push(() => { server.closeAllConnections(); server.close(); });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function clip(): Promise<Buffer> {
  await run('ffmpeg', ['-v', 'error', '-y', '-f', 'lavfi', '-i', 'testsrc=s=64x32:r=10:d=2', '-c:v', 'libx264', '-g', '5', '-pix_fmt', 'yuv420p', '-movflags', '+faststart', 'clip.mp4'], { cwd: folder });
  return readFile(join(folder, 'clip.mp4'));
}

/** What a Lookout that is started now says of the address: a frame's width, or its error. Node reads its certificates at the start. */
async function looked(url: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const program = `
    import { create } from ${JSON.stringify(join(import.meta.dirname, '../../../dist/sources/http.js'))};
    const stream = { camera_id: 'a', url: process.argv[1], models: [], options: { interval_seconds: 1, capture_mode: 'auto', transport: 'tcp', video_track: 1 } };
    try {
      for await (const { width } of create({ config: { jpeg_quality: 90, max_width: null, allow_schemes: [] } }).frames(stream, ${JSON.stringify(folder)}, new AbortController().signal)) {
        console.log(width);
        process.exit(0);
      }
    } catch (error) {
      console.log(error.message);
    }`;
  return (await run(process.execPath, ['--input-type=module', '-e', program, url], { cwd: folder, env: { ...process.env, NODE_EXTRA_CA_CERTS: undefined, ...env } })).stdout.trim();
}

it.skipIf(!hasOpenssl)('a certificate that signs itself is trusted by what the error says, and then its name (missed: openssl is not on the PATH)', async () => {
  await request('-days', '3', '-subj', '/CN=IPCAM', '-addext', 'subjectAltName=DNS:localhost');
  const port = await camera('key.pem', 'camera.pem');
  const unknown = await looked(`https://127.0.0.1:${port}/snap.jpg`);
  const [, command = '', setting = ''] = /trust the camera's certificate: (openssl .*), and start Lookout again with (\S+)$/.exec(unknown) ?? [];
  await run('sh', ['-c', command], { cwd: folder });
  const env = Object.fromEntries([setting.split('=')]) as Record<string, string>;
  const named = await looked(`https://127.0.0.1:${port}/snap.jpg`, env);
  expect(named).toMatch(/; its certificate is for localhost: write the address with such a name, to which a line "127\.0\.0\.1 localhost" in \/etc\/hosts leads$/);
  expect(await looked(`https://localhost:${port}/snap.jpg`, env)).toBe('64');
  // Video is opened by ffmpeg, which trusts the same.
  expect(await looked(`https://localhost:${port}/clip.mp4`, env)).toBe('64');
  expect(await looked(`https://localhost:${port}/snap.jpg`, { NODE_EXTRA_CA_CERTS: join(folder, 'none.pem') })).toContain('none.pem, which it names now, does not hold it or could not be read');
});

it('one that is out of date is not told to be trusted', () => {
  const error = Object.assign(new Error('certificate has expired'), { code: 'CERT_HAS_EXPIRED' });
  expect(certificateHint(new URL('https://camera/'), error)).toBe('; set the clocks of the camera and of this machine, or give the camera a new certificate');
});
