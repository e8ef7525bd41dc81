/** The ways to a client: inside its RTSP connection, or by UDP. Both let packets go rather than grow without bound. */
import type { Socket as UdpSocket } from 'node:dgram';
import type { Socket } from 'node:net';
import type { Packet } from './generator.ts';
import { interleavedHead } from './message.ts';
import type { Transport } from './transport.ts';

export interface Player {
  send(packets: readonly Packet[]): void;
  /** Ends the client's connection. */
  cut(): void;
}

/** The server's sockets, shared by all clients. */
export interface UdpSockets {
  readonly rtp: UdpSocket;
  readonly rtcp: UdpSocket;
}

/** Bytes that may wait for a client; a second or two of a good camera. */
const MAX_WAITING = 1_000_000;

/** `dropped` is told how many packets were let go. */
export function createPlayer(transport: Transport, socket: Socket, udp: UdpSockets, dropped: (packets: number) => void): Player {
  const address = socket.remoteAddress;
  const send = transport.kind === 'tcp'
    ? (packets: readonly Packet[]): void => {
      if (socket.writableLength > MAX_WAITING) {
        dropped(packets.length);
        return;
      }
      socket.write(Buffer.concat(packets.flatMap(({ kind, bytes }) => [interleavedHead(transport[kind], bytes.length), bytes])));
    }
    : (packets: readonly Packet[]): void => {
      for (const { kind, bytes } of packets) {
        if (udp[kind].getSendQueueSize() > MAX_WAITING) dropped(1);
        else udp[kind].send(bytes, transport[kind], address, (error) => { if (error) dropped(1); });
      }
    };
  return { send, cut: () => { socket.destroy(); } };
}
