/** The demo camera: a real RTSP server with a moving scene on each of its paths. */
import { once, setMaxListeners } from 'node:events';
import { type AddressInfo, createServer, isIPv6, type Server, type Socket } from 'node:net';
import { LookoutError } from '../errors.ts';
import { type Log, silentLog } from '../lib/log.ts';
import { serveClient } from './client.ts';
import type { Credentials } from './digest.ts';
import { createFeed, type Feed } from './feed.ts';
import type { Scene, SceneChange } from './ffmpeg-arguments.ts';
import { openUdpSockets } from './udp.ts';

export interface DemoCameraOptions {
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** Default: any free one. */
  readonly port?: number;
  /** Asked of every client (digest) when given. */
  readonly auth?: Credentials;
  /** A client that says nothing for so long is cut. Default: 60. */
  readonly timeout_seconds?: number;
  /** By path. A generator starts when its path is first asked for, and stays. */
  readonly cameras: Readonly<Record<string, Scene>>;
  readonly log?: Log;
}

export interface DemoCamera {
  readonly port: number;
  readonly url: (path: string, credentials?: boolean) => string;
  /** Of the ffmpegs that run. */
  readonly pids: () => readonly number[];
  /** Packets that slow clients did not get. */
  readonly dropped: () => number;
  /** Stops sending, or sends again; connections stay open. */
  readonly silence: (path: string, silent: boolean) => void;
  /** Changes the scene, without a word to those who play; null: as it was. */
  readonly show: (path: string, change: SceneChange | null) => void;
  /** Cuts every client that plays the path. */
  readonly disconnect: (path: string) => void;
  readonly close: () => Promise<void>;
}

export async function startDemoCamera(options: DemoCameraOptions, signal: AbortSignal): Promise<DemoCamera> {
  signal.throwIfAborted();
  const { host = '127.0.0.1', port = 0, auth = null, timeout_seconds: timeoutSeconds = 60, log = silentLog } = options;
  const stop = new AbortController();
  // Every feed listens; that is no leak.
  setMaxListeners(0, stop.signal);
  const feeds = new Map(Object.entries(options.cameras).map(([path, scene]) => [pathOf(path), createFeed(scene, log.part(path), stop.signal)]));
  const sockets = new Set<Socket>();
  let dropped = 0;

  const server = await listen(host, port);
  const udp = await openUdpSockets(host).catch((error: unknown) => {
    server.close();
    throw error;
  });
  server.on('error', (error) => { log.warn('a client was not let in', { reason: error.message }); });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.setNoDelay(true).once('close', () => sockets.delete(socket));
    void serveClient(socket, {
      auth, timeoutSeconds, udp,
      feed: (path) => feeds.get(path),
      dropped: (packets) => { dropped += packets; },
    });
  });

  let closing: Promise<void> | null = null;
  const close = (): Promise<void> => closing ??= (async () => {
    signal.removeEventListener('abort', onAbort);
    stop.abort();
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await Promise.all([closed, ...[...feeds.values()].map((feed) => feed.ended())]);
    udp.rtp.close();
    udp.rtcp.close();
  })();
  const onAbort = (): void => void close();
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) await close();
  signal.throwIfAborted();

  const feedAt = (path: string): Feed => {
    const feed = feeds.get(pathOf(path));
    if (feed === undefined) throw new LookoutError('not_found', `The demo camera has no path ${path}; it has ${[...feeds.keys()].join(', ')}`);
    return feed;
  };
  const { port: boundPort } = server.address() as AddressInfo;
  return {
    port: boundPort,
    url(path, credentials = false) {
      const login = credentials && auth !== null ? `${encodeURIComponent(auth.user)}:${encodeURIComponent(auth.password)}@` : '';
      return `rtsp://${login}${isIPv6(host) ? `[${host}]` : host}:${boundPort}${pathOf(path)}`;
    },
    pids: () => [...feeds.values()].map((feed) => feed.pid()).filter((pid) => pid !== null),
    dropped: () => dropped,
    silence: (path, silent) => { feedAt(path).silence(silent); },
    show: (path, change) => { feedAt(path).show(change); },
    disconnect: (path) => { feedAt(path).disconnect(); },
    close,
  };
}

/** As it stands in a URL. */
function pathOf(path: string): string {
  return `/${encodeURI(path.replace(/^\//, ''))}`;
}

async function listen(host: string, port: number): Promise<Server> {
  const server = createServer();
  try {
    await once(server.listen(port, host), 'listening');
    return server;
  } catch (cause) {
    throw new LookoutError('listen_failed', `The demo camera cannot listen at ${host}:${port}: choose another port`, { cause });
  }
}
