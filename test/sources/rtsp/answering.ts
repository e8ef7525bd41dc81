/** RTSP servers that answer as a test says, and keep what they heard. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Heard {
  readonly port: number;
  readonly requests: string[];
}

/** A server that answers each request by its method; `#` stands for its number. null: it cuts the connection. */
export async function server(answer: (request: string, socket: Socket) => string | null): Promise<Heard> {
  const requests: string[] = [];
  const open = new Set<Socket>();
  const listening = createServer((socket) => {
    open.add(socket);
    let text = '';
    socket.on('error', () => undefined).on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1');
      for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
        const request = text.slice(0, end);
        text = text.slice(end + 4);
        requests.push(request);
        const said = answer(request, socket);
        if (said === null) socket.destroy();
        else socket.write(said.replace('#', /cseq: *(\d+)/i.exec(request)?.[1] ?? ''));
      }
    });
  }).listen(0, '127.0.0.1');
  await once(listening, 'listening');
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    listening.close();
  });
  return { port: (listening.address() as AddressInfo).port, requests };
}

export const OK = 'RTSP/1.0 200 OK\r\nCSeq: #\r\n\r\n';
export const wants = (...challenges: readonly string[]): string => `RTSP/1.0 401 Unauthorized\r\nCSeq: #\r\n${challenges.map((one) => `WWW-Authenticate: ${one}\r\n`).join('')}\r\n`;
export const movedTo = (location: string): string => `RTSP/1.0 302 Moved\r\nCSeq: #\r\nLocation: ${location}\r\n\r\n`;
