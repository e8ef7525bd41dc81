/**
 * The way from ffmpeg to a server whose protocol it alone speaks: its bytes go unchanged over a connection of ours, which
 * leads to the address that was checked, and over TLS to the server that is meant.
 */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { StreamPlace } from '../../words/stream-place.ts';
import { dialInWords, type Caution } from './dial.ts';

export interface Tunnel {
  /** Of this machine, for one connection. */
  readonly port: number;
  /** Resolves when the server's connection is gone. */
  close(): Promise<void>;
}

/** `hide`: takes the address's secrets out of what is said of it. Throws `stream_connect` and `forbidden_address`. */
export async function openTunnel(place: StreamPlace, caution: Caution, hide: (text: string) => string, signal: AbortSignal): Promise<Tunnel> {
  const far = await dialInWords(place, caution, hide, signal);
  const gone = new Promise<void>((resolve) => { far.once('close', () => { resolve(); }); });
  let near: Socket | null = null;
  const end = (): void => {
    near?.destroy();
    far.destroy();
  };
  // Whatever ends one ends the other; ffmpeg says what it has not got.
  far.on('error', end).on('close', end);
  const entrance = createServer({ noDelay: true }, (socket) => {
    near = socket.on('error', end).on('close', end);
    entrance.close();
    socket.pipe(far).pipe(socket);
  });
  const close = async (): Promise<void> => {
    if (entrance.listening) entrance.close();
    end();
    await gone;
  };
  try {
    entrance.listen(0, '127.0.0.1');
    await once(entrance, 'listening', { signal });
  } catch (error) {
    await close();
    throw error;
  }
  return { port: (entrance.address() as AddressInfo).port, close };
}
