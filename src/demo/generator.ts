/** One ffmpeg that plays a scene and pushes its RTP packets to us over a loopback connection. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { leashedFfmpeg } from '../lib/leash.ts';
import { playArguments, type Scene } from './ffmpeg-arguments.ts';
import { createMessages, formatResponse, type Request, type Response } from './message.ts';

export interface Packet {
  readonly kind: 'rtp' | 'rtcp';
  readonly bytes: Buffer;
}

export interface Listener {
  /** ffmpeg's session description; once, before the first packets. */
  announced(sdp: string): void;
  packets(packets: readonly Packet[]): void;
}

export interface Generator {
  readonly pid: number | null;
  /** Resolves when ffmpeg is gone, with its last words. */
  readonly ended: Promise<string>;
}

const START_MS = 10_000;
const LAST_WORDS = 2000;

/**
 * ffmpeg records to us as to any RTSP server. Over TCP, because a key frame is a burst that overruns the buffer of a
 * UDP socket; when we are slow, ffmpeg waits and catches up.
 */
export async function startGenerator(scene: Scene, listener: Listener, signal: AbortSignal): Promise<Generator> {
  signal.throwIfAborted();
  const path = `/${randomUUID()}`;
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const { file, args, env } = leashedFfmpeg(playArguments(scene, `rtsp://127.0.0.1:${port}${path}`));
  const child = spawn(file, args, {
    stdio: ['ignore', 'ignore', 'pipe'], env, signal, killSignal: 'SIGKILL',
  });
  const kill = (): void => void child.kill('SIGKILL');
  let words = '';
  const say = (text: string): void => {
    words = (words + text).slice(-LAST_WORDS);
  };
  const startLimit = setTimeout(() => {
    say(`nothing to see within ${START_MS / 1000} s`);
    kill();
  }, START_MS);
  server.once('connection', (socket) => {
    server.close();
    const announced = (sdp: string): void => {
      clearTimeout(startLimit);
      listener.announced(sdp);
    };
    void receive(socket, path, { ...listener, announced }).finally(kill);
  });
  child.stderr.setEncoding('utf8').on('data', say);
  child.on('error', (error) => { say(error.message); });
  const ended = new Promise<string>((resolve) => {
    child.once('close', () => {
      clearTimeout(startLimit);
      server.close();
      resolve(words.trim() || 'ffmpeg said nothing');
    });
  });
  return { pid: child.pid ?? null, ended };
}

/** Answers ffmpeg and hands on what it sends, until the connection ends. */
async function receive(socket: Socket, path: string, listener: Listener): Promise<void> {
  try {
    const read = createMessages();
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      const packets: Packet[] = [];
      for (const message of read(chunk)) {
        if (message.kind === 'interleaved') {
          packets.push({ kind: message.channel === 0 ? 'rtp' : 'rtcp', bytes: message.bytes });
          continue;
        }
        if (message.kind === 'malformed' || !new URL(message.uri).pathname.startsWith(path)) return;
        socket.write(formatResponse(message, record(message)));
        if (message.method === 'ANNOUNCE') listener.announced(message.body);
      }
      if (packets.length > 0) listener.packets(packets);
    }
  } catch {
    // A broken connection ends ffmpeg, and ffmpeg's end says why.
  } finally {
    socket.destroy();
  }
}

/** Our side of RTSP recording. */
function record({ method, headers }: Request): Response {
  return { status: 200, headers: method === 'SETUP' ? { Session: '1', Transport: headers.get('transport') ?? '' } : {} };
}
