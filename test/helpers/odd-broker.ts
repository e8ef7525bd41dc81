/** A broker of MQTT 5 that answers as no broker on this machine does: with any reason, or not at all. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';

export interface Published {
  readonly topic: string;
  readonly retain: boolean;
  readonly packetId: number;
  /** As it came, with its properties before it. */
  readonly rest: Buffer;
}

/** Answers a message: acknowledges it with a reason, ends the connection for one, with words or without, or says nothing. */
export type Answer = { readonly acknowledge: number } | { readonly disconnect: number; readonly words?: string } | null;

export interface OddBroker {
  readonly port: number;
  readonly published: Published[];
  /** Connections that are open. */
  readonly open: () => number;
  close(): Promise<void>;
}

export interface Oddity {
  /** Reason code of its greeting. */
  readonly greeting?: number;
  /** Properties of its greeting, as bytes. */
  readonly properties?: readonly number[];
  /** What it says after its greeting. */
  readonly says?: Buffer;
  readonly answer?: (message: Published, all: readonly Published[]) => Answer;
  /** What it hears in a second. */
  readonly bytesPerSecond?: number;
}

const [CONNECT, PUBLISH, SUBSCRIBE, PINGREQ] = [1, 3, 8, 12];

export async function startOddBroker({ greeting = 0, properties = [], says = Buffer.alloc(0), answer = () => ({ acknowledge: 0 }), bytesPerSecond = Infinity }: Oddity): Promise<OddBroker> {
  const published: Published[] = [];
  const sockets = new Set<Socket>();

  function reply(socket: Socket, type: number, flags: number, body: Buffer): void {
    if (type === CONNECT) socket.write(Buffer.concat([Buffer.from([0x20, 3 + properties.length, 0, greeting, properties.length, ...properties]), says]));
    if (type === PINGREQ) socket.write(Buffer.from([0xd0, 0]));
    if (type === SUBSCRIBE) socket.write(Buffer.from([0x90, 4, ...body.subarray(0, 2), 0, 1]));
    if (type !== PUBLISH) return;
    const length = body.readUInt16BE(0);
    const message = { topic: body.toString('utf8', 2, 2 + length), retain: (flags & 1) === 1, packetId: body.readUInt16BE(2 + length), rest: body.subarray(4 + length) };
    published.push(message);
    const given = answer(message, published);
    if (!given) return;
    if ('acknowledge' in given) socket.write(Buffer.from([0x40, 4, message.packetId >> 8, message.packetId & 0xff, given.acknowledge, 0]));
    else socket.end(disconnect(given.disconnect, given.words));
  }

  const server = createServer((socket) => {
    sockets.add(socket);
    let left = Buffer.alloc(0);
    function hear(bytes: Buffer): void {
      left = Buffer.concat([left, bytes]);
      for (;;) {
        const packet = packetOf(left);
        // What comes after it said goodbye is not heard.
        if (!packet || socket.writableEnded) return;
        left = left.subarray(packet.end);
        reply(socket, packet.type, packet.flags, packet.body);
      }
    }
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket)).on('data', (bytes) => {
      if (bytesPerSecond === Infinity) {
        hear(bytes);
        return;
      }
      socket.pause();
      setTimeout(() => {
        hear(bytes);
        socket.resume();
      }, bytes.length / bytesPerSecond * 1000);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    published,
    open: () => sockets.size,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function disconnect(reason: number, words?: string): Buffer {
  const said = words === undefined ? [] : [0x1f, words.length >> 8, words.length & 0xff, ...Buffer.from(words)];
  const body = [reason, ...sized(said)];
  return Buffer.from([0xe0, ...sized(body)]);
}

/** With its length before it, in two bytes. */
const sized = (bytes: readonly number[]): readonly number[] => [0x80 | (bytes.length & 0x7f), bytes.length >> 7, ...bytes];

function packetOf(bytes: Buffer): { readonly type: number; readonly flags: number; readonly body: Buffer; readonly end: number } | null {
  let [length, at, factor] = [0, 1, 1];
  for (;;) {
    const byte = bytes[at];
    if (byte === undefined) return null;
    length += (byte & 0x7f) * factor;
    factor *= 128;
    at += 1;
    if ((byte & 0x80) === 0) break;
  }
  const end = at + length;
  if (bytes.length < end) return null;
  const first = bytes.readUInt8(0);
  return { type: first >> 4, flags: first & 0x0f, body: Buffer.from(bytes.subarray(at, end)), end };
}
