/** Stands between a capture and the demo camera: hears what is asked, and may change what the camera says and sends. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface RtspRelay {
  /** The camera's address by way of the relay. */
  readonly url: string;
  /** The methods of all requests, in order. */
  readonly methods: readonly string[];
  readonly connections: { inAll: number; atOnce: number };
  readonly close: () => void;
}

export interface RtspChanges {
  /** How the camera describes itself. */
  readonly describe?: (sdp: string) => string;
  /** The head of its answer to PLAY. */
  readonly play?: (head: string) => string;
  /** The time stamp of an RTP packet that comes so long after PLAY; null: the packet is lost. */
  readonly stamp?: (timestamp: number, sinceMs: number, rtp: Buffer) => number | null;
  /** Packets are kept back for so long after PLAY, and then come at once. */
  readonly keptBackMs?: number;
}

export async function startRtspRelay(camera: string, changes: RtspChanges = {}): Promise<RtspRelay> {
  const target = Number(new URL(camera).port);
  const open = new Set<Socket>();
  const methods: string[] = [];
  const connections = { inAll: 0, atOnce: 0 };
  const server = createServer((socket) => {
    open.add(socket);
    connections.inAll += 1;
    connections.atOnce = Math.max(connections.atOnce, open.size);
    const onwards = connect(target, '127.0.0.1');
    const end = (): void => {
      open.delete(socket);
      socket.destroy();
      onwards.destroy();
    };
    for (const one of [socket, onwards]) one.on('error', end).on('close', end);
    socket.on('data', (bytes: Buffer) => {
      methods.push(...[...bytes.toString('latin1').matchAll(/^([A-Z_]+) rtsp:/gm)].map(([, method = '']) => method));
      onwards.write(bytes);
    });
    const change = changed(changes);
    onwards.on('data', (bytes: Buffer) => socket.write(change(bytes)));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: camera.replace(`:${target}/`, `:${port}/`), methods, connections,
    close() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

const DOLLAR = 0x24;

/** What a client gets instead of the bytes that the camera sends: whole answers and packets, the rest later. */
function changed({ describe, play, stamp, keptBackMs = 0 }: RtspChanges): (bytes: Buffer) => Buffer {
  let rest: Buffer = Buffer.alloc(0);
  let playingSince = NaN;

  function answer(head: string, body: string): Buffer {
    if (/^(?:rtp-info|range):/im.test(head)) return Buffer.from(play?.(head) ?? head, 'latin1');
    const text = describe && body ? describe(body) : body;
    return Buffer.from(head.replace(/^content-length:.*$/im, `Content-Length: ${text.length}`) + text, 'latin1');
  }

  function packet(bytes: Buffer): Buffer {
    // Channel 0 has the pictures, 1 the reports about them.
    if (!stamp || bytes[1] !== 0) return bytes;
    const timestamp = stamp(bytes.readUInt32BE(8), performance.now() - playingSince, bytes);
    if (timestamp === null) return Buffer.alloc(0);
    const copy = Buffer.from(bytes);
    copy.writeUInt32BE(((timestamp % 2 ** 32) + 2 ** 32) % 2 ** 32, 8);
    return copy;
  }

  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    const whole: Buffer[] = [];
    for (;;) {
      if (rest[0] === DOLLAR && Number.isNaN(playingSince)) playingSince = performance.now();
      if (performance.now() - playingSince < keptBackMs) break;
      const headEnd = rest[0] === DOLLAR ? 4 : rest.indexOf('\r\n\r\n') + 4;
      if (headEnd < 4 || rest.length < headEnd) break;
      const head = rest.toString('latin1', 0, headEnd);
      const end = headEnd + (rest[0] === DOLLAR ? rest.readUInt16BE(2) : Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0));
      if (rest.length < end) break;
      whole.push(rest[0] === DOLLAR ? packet(rest.subarray(0, end)) : answer(head, rest.toString('latin1', headEnd, end)));
      rest = rest.subarray(end);
    }
    return Buffer.concat(whole);
  };
}
