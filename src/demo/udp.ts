/** Two UDP sockets on neighbouring ports, as RTP wants them: an even one for RTP and the next for RTCP. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import type { UdpSockets } from './player.ts';

const TRIES = 50;

/** What clients send there (receiver reports) is read and left. */
export async function openUdpSockets(host: string): Promise<UdpSockets> {
  for (let tries = 1; ; tries++) {
    const rtp = await bind(host, 0);
    try {
      const { port } = rtp.address();
      if (port % 2 === 0) return { rtp, rtcp: await bind(host, port + 1) };
      rtp.close();
    } catch (error) {
      rtp.close();
      if (tries === TRIES) throw error;
    }
  }
}

async function bind(host: string, port: number): Promise<Socket> {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  try {
    socket.bind(port, host);
    await once(socket, 'listening');
  } catch (error) {
    socket.close();
    throw error;
  }
  return socket.on('message', () => undefined);
}
