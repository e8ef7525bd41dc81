/** One path of the camera: its generator, kept running from the first time that somebody asks, and who watches it. */
import { errorInfo, LookoutError } from '../errors.ts';
import { systemClock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { changed, type Scene, type SceneChange } from './ffmpeg-arguments.ts';
import { startGenerator } from './generator.ts';
import type { Player } from './player.ts';

export interface Feed {
  /** ffmpeg's session description; rejects when ffmpeg fails. */
  describe(): Promise<string>;
  join(player: Player): void;
  leave(player: Player): void;
  /** Sequence number and time stamp of the packet that comes next, as near as can be known; null before the first. */
  position(): { readonly sequence: number; readonly timestamp: number } | null;
  silence(silent: boolean): void;
  /** Changes the scene, for those who play too; null: as it was. */
  show(change: SceneChange | null): void;
  disconnect(): void;
  pid(): number | null;
  /** Resolves when the generator is gone; it goes when the signal aborts. */
  ended(): Promise<void>;
}

const RESTART_MS = 1000;

export function createFeed(scene: Scene, log: Log, signal: AbortSignal): Feed {
  const players = new Set<Player>();
  let running: Promise<void> | null = null;
  let announcement = createAnnouncement();
  let lastPacket: Buffer | null = null;
  let silent = false;
  let pid: number | null = null;
  let shown = scene;
  let changing = new AbortController();

  const disconnect = (): void => {
    for (const player of players) player.cut();
  };

  const play = async (): Promise<string> => {
    changing = new AbortController();
    const generator = await startGenerator(shown, {
      announced: (sdp) => { announcement.resolve(sdp); },
      packets(packets) {
        lastPacket = packets.findLast(({ kind }) => kind === 'rtp')?.bytes ?? lastPacket;
        if (!silent) for (const player of players) player.send(packets);
      },
    }, AbortSignal.any([signal, changing.signal]));
    pid = generator.pid;
    return generator.ended;
  };

  const run = async (): Promise<void> => {
    for (;;) {
      const lastWords = await play().catch((error: unknown) => errorInfo(error).message);
      pid = null;
      lastPacket = null;
      const isChange = changing.signal.aborted;
      // Its successor starts other sequence numbers and time stamps: to the clients the camera has gone, unless they are to see that.
      if (!isChange) disconnect();
      announcement.reject(new LookoutError('stream_ended', `The demo camera's ffmpeg ended: ${lastWords}`));
      if (signal.aborted) return;
      announcement = createAnnouncement();
      if (isChange) continue;
      log.warn('a generator ended and is started again', { reason: lastWords });
      await systemClock.sleep(RESTART_MS, signal);
    }
  };

  return {
    describe() {
      running ??= run();
      return announcement.promise;
    },
    join(player) {
      running ??= run();
      players.add(player);
    },
    leave: (player) => { players.delete(player); },
    position: () => lastPacket && { sequence: (lastPacket.readUInt16BE(2) + 1) & 0xffff, timestamp: lastPacket.readUInt32BE(4) },
    silence: (value) => { silent = value; },
    show(change) {
      shown = changed(scene, change);
      changing.abort();
    },
    disconnect,
    pid: () => pid,
    ended: async () => { await running; },
  };
}

interface Announcement {
  readonly promise: Promise<string>;
  readonly resolve: (sdp: string) => void;
  readonly reject: (error: Error) => void;
}

function createAnnouncement(): Announcement {
  let resolve: Announcement['resolve'] = () => undefined;
  let reject: Announcement['reject'] = () => undefined;
  const promise = new Promise<string>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  // Nobody may be waiting; the log has the reason then.
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}
