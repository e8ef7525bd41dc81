/** Stands before a path of a camera and can do wrong what cameras do wrong: by rules, which may change while clients play. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { LookoutError } from '../errors.ts';
import type { SceneChange } from './ffmpeg-arguments.ts';
import { formatResponse, type Response } from './message.ts';
import { createOutlet, type Limit } from './outlet.ts';
import { createSplitter, type Packet, type Text, textOf } from './pieces.ts';

/** What is done to what runs through. Nothing named: nothing. */
export interface Rules {
  /** Nobody listens. */
  readonly refuses?: boolean;
  /** What a request is answered instead of by the camera; undefined: the camera answers. */
  readonly answers?: (request: Asked) => Response | 'nothing' | 'reset' | undefined;
  /** What the camera answers, as the client gets it: its first line and headers, and its body. */
  readonly changes?: (head: string, body: string) => readonly [head: string, body: string];
  /** Made for each connection. What comes instead of a packet that came so long after the first one, or the end of the connection. */
  readonly packets?: () => PacketRule;
  /** How fast packets come through. */
  readonly limit?: Limit;
  /** What the camera shows, without a word to those who play. */
  readonly scene?: SceneChange;
  /** It begins, and ends, with a restart of the camera: nobody goes on playing. */
  readonly restarts?: boolean;
}

export type PacketRule = (packet: Packet, sinceMs: number) => readonly Buffer[] | 'cut';

export interface Asked {
  readonly method: string;
  /** The camera's own address. */
  readonly camera: URL;
}

export interface Relay {
  /** The camera's address by way of the relay. */
  readonly url: string;
  /** The methods of all requests, in order. */
  readonly methods: readonly string[];
  readonly connections: { inAll: number; atOnce: number };
  /** null: nothing is wrong. Resolves when it is so. */
  readonly become: (rules: Rules | null) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** `show` changes what the camera shows at this address; null: as usual. */
export interface RelayOptions {
  readonly show?: (change: SceneChange | null) => void;
}

interface Connection {
  readonly obey: (rules: Rules) => void;
  readonly cut: () => void;
}

export async function startRelay(camera: string, { show }: RelayOptions = {}): Promise<Relay> {
  const target = new URL(camera);
  const open = new Set<Connection>();
  const methods: string[] = [];
  const connections = { inAll: 0, atOnce: 0 };
  let rules: Rules = {};
  const accept = (socket: Socket): void => {
    const connection = relayed(socket, target, rules, {
      asked: (method) => { methods.push(method); },
      ended: () => { open.delete(connection); },
    });
    open.add(connection);
    connections.inAll += 1;
    connections.atOnce = Math.max(connections.atOnce, open.size);
  };
  let server: Server | null = await listen(0, accept);
  const { port } = server.address() as AddressInfo;
  const url = new URL(camera);
  url.port = String(port);

  const cut = (): void => {
    for (const connection of open) connection.cut();
  };
  const deaf = async (): Promise<void> => {
    if (!server) return;
    const closed = once(server.close(), 'close');
    server = null;
    cut();
    await closed;
  };
  return {
    url: url.href, methods, connections,
    async become(next) {
      const before = rules;
      rules = next ?? {};
      if (before.scene ?? rules.scene) show?.(rules.scene ?? null);
      if (rules.refuses) await deaf();
      else server ??= await listen(port, accept);
      if ([before, rules].some(({ restarts, answers }) => restarts || answers)) cut();
      for (const connection of open) connection.obey(rules);
    },
    close: deaf,
  };
}

async function listen(port: number, accept: (socket: Socket) => void): Promise<Server> {
  const server = createServer(accept);
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
    return server;
  } catch (cause) {
    throw new LookoutError('listen_failed', `the demo camera's relay cannot listen at 127.0.0.1:${port}`, { cause });
  }
}

function relayed(socket: Socket, camera: URL, first: Rules, tell: { asked(method: string): void; ended(): void }): Connection {
  const onwards = connect(Number(camera.port), camera.hostname);
  const outlet = createOutlet(socket, onwards);
  let rules = first;
  let rule = first.packets?.();
  let firstPacketMs: number | null = null;

  const cut = (): void => {
    outlet.close();
    socket.destroy();
    onwards.destroy();
    tell.ended();
  };
  const request = (text: Text): void => {
    const method = /^\S+/.exec(text.head)?.[0] ?? '';
    tell.asked(method);
    const answer = rules.answers?.({ method, camera });
    if (answer === 'reset') {
      socket.resetAndDestroy();
      cut();
    } else if (answer === undefined) onwards.write(text.bytes);
    else if (answer !== 'nothing') outlet.write(Buffer.from(formatResponse({ headers: new Map([['cseq', /^cseq: *(\d+)/im.exec(text.head)?.[1] ?? '0']]) }, answer)));
  };
  const packet = (one: Packet): void => {
    // What was said before comes through whatever the network does to the pictures.
    if (firstPacketMs === null) outlet.limit(rules.limit ?? null);
    firstPacketMs ??= performance.now();
    const instead = rule ? rule(one, performance.now() - firstPacketMs) : [one.bytes];
    if (instead === 'cut') cut();
    else for (const bytes of instead) outlet.write(bytes);
  };

  for (const one of [socket, onwards]) one.setNoDelay(true).on('error', cut).on('close', cut);
  const [asked, said] = [createSplitter(), createSplitter()];
  socket.on('data', (bytes: Buffer) => {
    for (const piece of asked(bytes)) {
      if (piece.kind === 'text') request(piece);
      else onwards.write(piece.bytes);
    }
  });
  onwards.on('data', (bytes: Buffer) => {
    for (const piece of said(bytes)) {
      if (piece.kind === 'packet') packet(piece);
      else outlet.write(rules.changes ? textOf(...rules.changes(piece.head, piece.body)) : piece.bytes);
    }
  });
  return {
    cut,
    obey(next) {
      rules = next;
      rule = next.packets?.();
      if (firstPacketMs !== null) outlet.limit(next.limit ?? null);
    },
  };
}
