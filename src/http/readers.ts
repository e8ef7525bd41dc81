/** Tells whose client takes nothing of what was written to it. One that takes it slowly, over a thin line, may take its time. */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { ConnectionLimits } from './connections.ts';

interface Seen {
  /** Bytes that were written and wait no more. */
  readonly taken: number;
  /** On the monotonic clock, in milliseconds. */
  readonly at: number;
}

/** Answers whether something has waited for a connection's client for longer than may be, and nothing of it was taken. */
export function watchReaders(server: Server, { silentMs, checkMs }: Pick<ConnectionLimits, 'silentMs' | 'checkMs'>): (socket: Socket) => boolean {
  const readers = new Map<Socket, Seen>();
  const takenBy = (socket: Socket): number => socket.bytesWritten - socket.writableLength;
  const takesNothing = (socket: Socket, { taken }: Seen): boolean => socket.writableLength > 0 && takenBy(socket) === taken;

  function look(): void {
    const now = performance.now();
    for (const [socket, seen] of readers) if (!takesNothing(socket, seen)) readers.set(socket, { taken: takenBy(socket), at: now });
  }

  const looking = setInterval(look, checkMs).unref();
  server.once('close', () => { clearInterval(looking); });
  server.on('connection', (socket: Socket) => {
    readers.set(socket, { taken: 0, at: performance.now() });
    socket.once('close', () => { readers.delete(socket); });
  });
  return (socket) => {
    const seen = readers.get(socket);
    return seen !== undefined && takesNothing(socket, seen) && performance.now() - seen.at >= silentMs;
  };
}
