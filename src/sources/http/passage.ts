/** Video over HTTP on its way to ffmpeg: our own client asks for it, so that login, certificate and address are what they were. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { LookoutError } from '../../errors.ts';
import type { Passage } from '../network/passage.ts';
import type { CameraClient } from './client.ts';

/** What ffmpeg must know to read on from anywhere. */
const TOLD = ['content-type', 'content-length', 'content-range', 'accept-ranges'];

export async function openPassage(client: CameraClient, signal: AbortSignal): Promise<Passage> {
  // Whoever else on this machine finds the port does not know what to ask for.
  const path = `/${randomBytes(16).toString('hex')}`;
  let failure: LookoutError | null = null;

  async function pass({ url, headers: { range } }: IncomingMessage, response: ServerResponse): Promise<void> {
    if (url !== path) {
      response.writeHead(404).end();
      return;
    }
    try {
      const answer = await client.get(signal, range === undefined ? {} : { range });
      response.writeHead(answer.statusCode ?? 200, Object.fromEntries(TOLD.flatMap((name) => (answer.headers[name] === undefined ? [] : [[name, answer.headers[name]]]))));
      await pipeline(answer, response);
    } catch (error) {
      // Its own, not that ffmpeg has left.
      if (error instanceof LookoutError) failure ??= error;
      response.destroy();
    }
  }

  const server = createServer((request, response) => void pass(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
    failure: () => failure,
    async close() {
      client.close();
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
