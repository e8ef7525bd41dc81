/** A camera over HTTP: numbered pictures, as a stream or one by one, with faults on request. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';

export interface HttpCamera {
  readonly port: number;
  readonly url: (path?: string, login?: string) => string;
  /** Of every request, in order. */
  readonly requests: { readonly url: string; readonly atMs: number; readonly authorization: string | undefined; readonly port: number }[];
  /** Connections that are open now. */
  readonly connections: () => Promise<number>;
  readonly close: () => Promise<void>;
}

export async function startHttpCamera(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<HttpCamera> {
  const requests: HttpCamera['requests'] = [];
  const server = createServer((request, response) => {
    const { url = '', headers: { authorization }, socket } = request;
    requests.push({ url, atMs: Date.now(), authorization, port: socket.remotePort ?? 0 });
    answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port, requests,
    url: (path = '/', login = '') => `http://${login}127.0.0.1:${port}${path}`,
    connections: () => promisify(server.getConnections.bind(server))(),
    close: async () => {
      server.closeAllConnections();
      if (server.listening) await new Promise((done) => server.close(done));
    },
  };
}

export async function makePicture(kind: 'png' | 'mjpeg', size: string): Promise<Buffer> {
  const args = ['-v', 'error', '-nostdin', '-f', 'lavfi', '-i', `testsrc=s=${size}`, '-frames:v', '1', '-f', 'image2pipe', '-c:v', kind, 'pipe:1'];
  return (await promisify(execFile)('ffmpeg', args, { encoding: 'buffer' })).stdout;
}

/** The JPEG with a comment that holds the number, so that no two are equal. */
export function numbered(jpeg: Buffer, number: number): Buffer {
  const comment = Buffer.from([0xff, 0xfe, 0, 6, 0, 0, 0, 0]);
  comment.writeUInt32BE(number, 4);
  return Buffer.concat([jpeg.subarray(0, 2), comment, jpeg.subarray(2)]);
}

export function numberOf(jpeg: Uint8Array): number {
  return Buffer.from(jpeg).readUInt32BE(6);
}

/** Sends a stream of parts, one each `everyMs`, until the client leaves or `next` gives null. */
export function sendParts(response: ServerResponse, everyMs: number, next: (index: number) => Buffer | null): void {
  response.writeHead(200, { 'content-type': 'multipart/x-mixed-replace; boundary=picture' });
  let index = 0;
  const send = (): void => {
    const part = next(index);
    index += 1;
    if (part === null) clearInterval(timer);
    else response.write(Buffer.concat([Buffer.from(`--picture\r\nContent-Type: image/jpeg\r\nContent-Length: ${part.length}\r\n\r\n`), part, Buffer.from('\r\n')]));
  };
  const timer = setInterval(send, everyMs);
  response.on('close', () => { clearInterval(timer); });
}
