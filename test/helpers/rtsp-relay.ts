/** Stands between a capture and the demo camera: hears what is asked and may change how the camera describes itself. */
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

export async function startRtspRelay(camera: string, describe: (sdp: string) => string = (sdp) => sdp): Promise<RtspRelay> {
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
    onwards.on('data', (bytes: Buffer) => socket.write(withDescription(bytes, describe)));
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

/** The demo camera writes each answer at once, so a description comes whole. */
function withDescription(bytes: Buffer, describe: (sdp: string) => string): Buffer {
  const text = bytes.toString('latin1');
  if (!/^content-type: application\/sdp/im.test(text)) return bytes;
  const [head = '', body = ''] = text.split('\r\n\r\n');
  const changed = describe(body);
  return Buffer.from(`${head.replace(/^content-length:.*$/im, `Content-Length: ${changed.length}`)}\r\n\r\n${changed}`, 'latin1');
}
