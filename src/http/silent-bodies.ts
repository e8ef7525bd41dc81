/** Ends requests whose body comes no more. One that comes slowly, over a thin line, may take its time. */
import type { IncomingMessage, Server } from 'node:http';
import type { ConnectionLimits } from './connections.ts';

interface Heard {
  readonly bytes: number;
  /** On the monotonic clock, in milliseconds. */
  readonly at: number;
}

/** It is told as Node tells a request that took too long in all. */
export function endSilentBodies(server: Server, { silentMs, checkMs }: Pick<ConnectionLimits, 'silentMs' | 'checkMs'>): void {
  const coming = new Map<IncomingMessage, Heard>();

  function look(): void {
    const now = performance.now();
    for (const [request, heard] of coming) {
      const { socket } = request;
      if (request.complete || socket.destroyed) coming.delete(request);
      // What nobody reads yet cannot come.
      else if (socket.bytesRead !== heard.bytes || request.readableFlowing !== true) coming.set(request, { bytes: socket.bytesRead, at: now });
      else if (now - heard.at >= silentMs) {
        coming.delete(request);
        server.emit('clientError', Object.assign(new Error('nothing came any more'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), socket);
      }
    }
  }

  const looking = setInterval(look, checkMs).unref();
  server.once('close', () => { clearInterval(looking); });
  server.on('request', (request) => {
    const { 'content-length': length = '0', 'transfer-encoding': encoding } = request.headers;
    if (length !== '0' || encoding !== undefined) coming.set(request, { bytes: request.socket.bytesRead, at: performance.now() });
  });
}
