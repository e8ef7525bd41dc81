/**
 * Keeps a server's connections few and short enough that nobody else starves: they get a share of the descriptors that the
 * process may have open. Where one too many comes, an idle one goes, then one whose request is not whole yet, then one whose
 * client takes nothing of its answer; an answer that is taken is never cut, however long it takes. What is held for a client
 * that takes nothing is given up where it is much, however few there are.
 */
import { readFileSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { watchReaders } from './readers.ts';

export interface ConnectionLimits {
  /** Connections at a time. */
  readonly most: number;
  /** Time for the head of a request, and for all of it. */
  readonly headMs: number;
  readonly requestMs: number;
  /** For which nothing of its body may come, and nothing of what waits of its answer be taken. */
  readonly silentMs: number;
  /** How often these times are looked at. */
  readonly checkMs: number;
}

const MOST = 4096;
const LEAST = 16;
/** Held for a client that takes nothing of it. */
const MOST_HELD_BYTES = 1 << 20;
/** One in so many descriptors may be a client's: the others are for cameras, models and files. */
const SHARE = 4;

export const connectionLimits = (): ConnectionLimits => ({
  most: Math.max(LEAST, Math.min(MOST, Math.floor(openFiles() / SHARE))), headMs: 20_000, requestMs: 15 * 60_000, silentMs: 30_000, checkMs: 5000,
});

export interface Connections {
  /** Whether something has been answered, or begun to be, to what was asked last: no other answer may follow. */
  readonly isAnswering: (socket: unknown) => boolean;
}

type Exchange = readonly [IncomingMessage, ServerResponse];

export function boundConnections(server: Server, limits: ConnectionLimits): Connections {
  const isLeft = watchReaders(server, limits);
  /** With what is being asked and answered; those that have been idle longest come first. */
  const open = new Map<Socket, Set<Exchange>>();

  /** Without a copy of all: under a flood this is asked for each that comes. */
  function first(isSpare: (exchanges: ReadonlySet<Exchange>, socket: Socket) => boolean): Socket | null {
    for (const [socket, exchanges] of open) if (isSpare(exchanges, socket)) return socket;
    return null;
  }

  server.on('connection', (socket: Socket) => {
    if (open.size >= limits.most) {
      const spare = first((exchanges) => exchanges.size === 0)
        ?? first((exchanges) => [...exchanges].every(([request]) => !request.complete))
        ?? first((_exchanges, other) => isLeft(other))
        ?? socket;
      // At once: its descriptor is needed now.
      spare.destroy();
      open.delete(spare);
      if (spare === socket) return;
    }
    open.set(socket, new Set());
    socket.once('close', () => { open.delete(socket); });
  });

  server.on('request', (request, response) => {
    const { socket } = request;
    const exchange: Exchange = [request, response];
    open.get(socket)?.add(exchange);
    response.once('close', () => {
      const exchanges = open.get(socket);
      if (!exchanges) return;
      exchanges.delete(exchange);
      open.delete(socket);
      open.set(socket, exchanges);
    });
  });

  // Node calls a connection so on which nothing moves, not even within one long write.
  server.timeout = limits.silentMs;
  server.on('timeout', (socket: Socket) => {
    const isIdle = (open.get(socket)?.size ?? 0) === 0;
    if (isIdle || socket.writableLength > MOST_HELD_BYTES) socket.destroy();
    else socket.setTimeout(limits.silentMs);
  });

  return {
    isAnswering: (socket) => [...(open.get(socket as Socket) ?? [])].some(([, response]) => response.headersSent),
  };
}

/** How many files the process may have open; 1024 where the system does not tell. */
function openFiles(): number {
  try {
    const [, limit = ''] = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return limit === 'unlimited' ? Infinity : Number(limit) || 1024;
  } catch {
    return 1024;
  }
}
