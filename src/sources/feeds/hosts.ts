/** The capture hosts of this process: each holds some cameras, is replaced when it dies, and renewed when it has grown. */
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { LookoutError } from '../../errors.ts';
import { linked } from '../../lib/linked.ts';
import type { Log } from '../../lib/log.ts';
import { createBlame } from './blame.ts';
import { errorOf, startHost, type FeedVideo, type Host, type HostDeath } from './host-process.ts';
import type { FeedPicture, FeedRequest, Probed } from './messages.ts';
import { createProcessors } from './processors.ts';

export interface Hosts {
  /**
   * Captures one camera until it is aborted, across the deaths of hosts, of which each is asked anew. Resolves with `ffmpeg` where no host can or
   * should do it; throws as sources do, and `stream_ended` where hosts die again and again before there is a picture.
   */
  capture(camera: string, request: () => FeedRequest, onPicture: (picture: FeedPicture) => void, signal: AbortSignal): Promise<'aborted' | Ffmpeg>;
  /** Looks at a camera for some seconds, in a process of its own. null: ffmpeg can read what no host can. Throws as sources do. */
  probe(request: FeedRequest, signal: AbortSignal): Promise<Probed | null>;
  /** Of a camera that is captured now; null: it is not, or not by a host. */
  video(camera: string): FeedVideo | null;
  close(): Promise<void>;
}

/** Why ffmpeg is to capture it, in words; null: it is the ordinary way for such a camera. */
export interface Ffmpeg {
  readonly why: string | null;
}

const CAMERAS_PER_HOST = 32;
/** One without cameras may soon be wanted again. */
const IDLE_MS = 10_000;
/** Cameras of a host that is gone come back one after the other. */
const APART_MS = 100;
const FIRST_BACK_MS = 200;
const LOOK_MS = 60_000;
/** So many deaths one after the other that nobody is blamed for, and no picture in between: the stream is to say so, and to pause. */
const DEATHS_IN_VAIN = 5;

/** `mostBytes`: a host that holds more is replaced, its cameras moved one after the other. */
export function createHosts(mostBytes: number, log: Log): Hosts {
  const processors = createProcessors(availableParallelism());
  const blame = createBlame();
  const shared = new Set<Member>();
  /** Of one camera each, whose pictures a shared one died of. */
  const alone = new Set<Member>();
  const all = new Set<Member>();
  const videos = new Map<string, FeedVideo>();
  let closed = false as boolean;
  /** Those that wait to connect again. */
  let returning = 0;

  interface Member {
    readonly host: Host;
    /** Its cameras are to go to another. */
    readonly leaving: AbortController;
    idle: NodeJS.Timeout | undefined;
  }

  function begin(): Member {
    const member: Member = { host: startHost(processors), leaving: new AbortController(), idle: undefined };
    all.add(member);
    void member.host.ended.then(() => { forget(member); });
    return member;
  }

  function forget(member: Member): void {
    clearTimeout(member.idle);
    for (const members of [all, shared, alone]) members.delete(member);
  }

  function sharedHost(): Member {
    for (const member of shared) if (!member.host.isGone && member.host.feeds < CAMERAS_PER_HOST) return member;
    const member = begin();
    shared.add(member);
    return member;
  }

  function hostAlone(): Member {
    const member = begin();
    alone.add(member);
    return member;
  }

  function left(member: Member): void {
    if (member.host.feeds > 0 || member.host.isGone) return;
    clearTimeout(member.idle);
    if (shared.has(member)) member.idle = setTimeout(() => { if (member.host.feeds === 0) void end(member); }, IDLE_MS).unref();
    else void end(member);
  }

  async function end(member: Member): Promise<void> {
    forget(member);
    await member.host.close();
  }

  async function renew(): Promise<void> {
    for (const member of [...shared, ...alone]) {
      if (((await member.host.memory()) ?? 0) <= mostBytes) continue;
      for (const members of [shared, alone]) members.delete(member);
      log.info('a capture host has grown and is replaced; its cameras connect again');
      member.leaving.abort();
      return;
    }
  }
  const renewing = setInterval(() => { void renew(); }, LOOK_MS).unref();

  async function comeBack(signal: AbortSignal): Promise<void> {
    returning += 1;
    await sleep(FIRST_BACK_MS + returning * APART_MS, undefined, { signal }).catch(() => undefined);
    returning -= 1;
  }

  function died(camera: string, { reason, step }: HostDeath): void {
    if (step === null) {
      log.repeated('warn', 'a capture host ended, and its cameras connect again', null, { reason: `it ${reason}` });
      return;
    }
    blame.died(camera, performance.now());
    log.repeated('error', 'a capture host ended while it looked at a picture of this camera', camera, { reason: `it ${reason}, at: ${step}` });
  }

  return {
    async capture(camera, request, onPicture, signal) {
      let inVain = 0;
      while (!signal.aborted) {
        if (closed) throw new LookoutError('shutting_down', 'Lookout is ending');
        const place = blame.placeOf(camera, performance.now());
        if (place === 'ffmpeg') return { why: 'capture hosts died of its pictures' };
        const member = place === 'alone' ? hostAlone() : sharedHost();
        clearTimeout(member.idle);
        const life = linked(signal, member.leaving.signal);
        const said = (picture: FeedPicture): void => {
          inVain = 0;
          onPicture(place === 'alone' ? { ...picture, mode: `${picture.mode}, in a process of its own: the shared one died of its pictures` } : picture);
        };
        const outcome = await member.host.run(request(), { onOpen: (video) => { videos.set(camera, video); }, onPicture: said }, life.signal);
        videos.delete(camera);
        life.release();
        left(member);
        if (outcome === 'closed') {
          // Not all that leave one at once.
          await comeBack(signal);
          continue;
        }
        if ('failure' in outcome) {
          if (outcome.failure.unsupported) return { why: null };
          throw errorOf(outcome.failure);
        }
        died(camera, outcome);
        if (outcome.step === null) inVain += 1;
        if (inVain >= DEATHS_IN_VAIN) throw new LookoutError('stream_ended', `its capture host ended time after time: it ${outcome.reason}`);
        await comeBack(signal);
      }
      return 'aborted';
    },
    async probe(request, signal) {
      const member = begin();
      try {
        const found = await member.host.probe(request, signal);
        signal.throwIfAborted();
        if ('picture' in found) return found;
        if ('step' in found) throw new LookoutError('stream_codec', `the process that looked at its pictures ended: it ${found.reason}${found.step === null ? '' : `, at: ${found.step}`}`);
        if (found.unsupported) return null;
        throw errorOf(found);
      } finally {
        await end(member);
      }
    },
    video: (camera) => videos.get(camera) ?? null,
    async close() {
      closed = true;
      clearInterval(renewing);
      await Promise.all([...all].map(end));
    },
  };
}
