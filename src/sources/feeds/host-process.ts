/** One capture host as its parent sees it: started on a leash, told of cameras, listened to, and gone for sure. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readSync, unlinkSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable, type Writable } from 'node:stream';
import { LookoutError } from '../../errors.ts';
import { forTools } from '../../lib/environment.ts';
import { killedBy } from '../../lib/killed.ts';
import { leashed } from '../../lib/leash.ts';
import { memoryOfTree } from '../../lib/memory.ts';
import { packageRoot } from '../../lib/package.ts';
import type { Recording } from '../../types.ts';
import {
  HUNG_MS, lineOf, MARK_BYTES, VIDEO_FD, type Answer, type ClipMade, type ClipOrder, type FeedFailure, type FeedPicture, type FeedRequest, type FromHost, type Probed, type RecordBegun, type RecordEnded, type RecordOrder,
  type ToHost,
} from './messages.ts';
import type { Processors } from './processors.ts';
import { createUnpacker, type VideoPart } from './video-pipe.ts';

/** How a feed ended: by its own failure, because it was closed, or with its host. */
export type FeedEnd = { readonly failure: FeedFailure } | 'closed' | HostDeath;

/** What is known of a host that ended unasked. */
export interface HostDeath {
  /** In words that follow "the capture host": `was killed by SIGSEGV`. */
  readonly reason: string;
  /** What it was doing for this feed; null: nothing in native code. */
  readonly step: string | null;
}

/** A feed's video, as long as the feed is open. */
export interface FeedVideo {
  /** In place of what was watched before, of which nothing more comes. Ends by a part that says so, unless it is ended first. */
  watch(onPart: (part: VideoPart) => void): () => void;
  /** Seconds that are to be kept from now on; null: none. */
  keep(seconds: number | null): void;
  /** Throws `no_live_video`, `stream_ended`, `stream_stalled`, `disk_full`, `disk_failed`. */
  clip(order: ClipOrder): Promise<ClipMade>;
  /** Likewise. */
  record(order: RecordOrder): Promise<RecordBegun & Pick<Recording, 'ended' | 'stop'>>;
}

export interface Host {
  readonly feeds: number;
  /** Resolves when the feed has ended, and nothing writes to its folder any more. `onOpen` is called at once. */
  run(request: FeedRequest, ears: FeedEars, signal: AbortSignal): Promise<FeedEnd>;
  /** Resolves with what was seen, or how it ended before. */
  probe(request: FeedRequest, signal: AbortSignal): Promise<Probed | FeedFailure | HostDeath>;
  /** Bytes; null: it is gone. */
  memory(): Promise<number | null>;
  readonly isGone: boolean;
  /** Resolves when the process is gone. */
  close(): Promise<void>;
  readonly ended: Promise<void>;
}

export interface FeedEars {
  readonly onOpen: (video: FeedVideo) => void;
  readonly onPicture: (picture: FeedPicture) => void;
}

interface Open {
  readonly onPicture: (picture: FeedPicture) => void;
  readonly resolve: (end: FeedEnd) => void;
}

const PROGRAM = join(packageRoot, 'dist/sources/feeds/host/main.js');
/** Its own goodbye takes less. */
const CLOSING_MS = 3000;
const GONE = { code: 'stream_ended', message: 'its capture host ended' } as const;
/** Of what it says on standard error, the last characters are kept. */
const LAST_WORDS = 400;

export function startHost(processors: Processors): Host {
  const marks = openMarks();
  const { file, args } = leashed(process.execPath, [PROGRAM]);
  // Names that nobody answers for must not keep pictures from being decoded: both take threads of one pool.
  const env = { ...process.env, ...forTools(), NODE_EXTRA_CA_CERTS: process.env['NODE_EXTRA_CA_CERTS'], UV_THREADPOOL_SIZE: String(4 + availableParallelism()), MALLOC_ARENA_MAX: process.env['MALLOC_ARENA_MAX'] ?? '2' };
  const child = withPipes(() => spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe', marks, 'pipe'], env, detached: true }), () => { closeSync(marks); });
  const open = new Map<number, Open>();
  const turns = new Map<number, () => void>();
  const watches = new Map<number, (part: VideoPart) => void>();
  const asked = new Map<number, (answer: Answer | HostDeath) => void>();
  let lastNumber = 0;
  let words = '';
  let gone = false;
  let reason = '';

  child.stdin.on('error', () => undefined);
  child.stderr.setEncoding('utf8').on('data', (text: string) => { words = (words + text).slice(-LAST_WORDS); });
  child.video.on('error', () => undefined).on('data', createUnpacker((watch, part) => {
    watches.get(watch)?.(part);
    if (part.is === 'end') watches.delete(watch);
  }));
  createInterface({ input: child.stdout }).on('line', (line) => {
    const message = messageIn(line);
    if (message) hear(message);
  });

  function hear(message: FromHost): void {
    switch (message.is) {
      case 'waiting': {
        const { turn } = message;
        turns.set(turn, processors.ask(() => { child.stdin.write(lineOf({ do: 'decode', turn })); }));
        return;
      }
      case 'rested':
        turns.get(message.turn)?.();
        turns.delete(message.turn);
        return;
      case 'picture':
        open.get(message.feed)?.onPicture(message.picture);
        return;
      case 'answer':
        asked.get(message.to)?.(message.answer);
        asked.delete(message.to);
        return;
      case 'ended': {
        const one = open.get(message.feed);
        open.delete(message.feed);
        one?.resolve(message.failure ? { failure: message.failure } : 'closed');
      }
    }
  }

  const ended = new Promise<void>((resolve) => {
    child.once('error', (error) => { reason = `cannot be started: ${error.message}`; });
    child.once('close', (code, signal) => {
      gone = true;
      if (reason === '') reason = signal === null ? `exited with code ${code ?? 0}${words.trim() && `: ${words.trim()}`}` : killedBy(signal);
      const steps = readMarks(marks);
      closeSync(marks);
      for (const rest of turns.values()) rest();
      for (const [feed, one] of open) one.resolve({ reason, step: steps.get(feed) ?? null });
      open.clear();
      for (const told of watches.values()) told({ is: 'end', why: GONE });
      watches.clear();
      for (const [number, told] of asked) told({ reason, step: steps.get(number) ?? null });
      asked.clear();
      resolve();
    });
  });

  function number(): number {
    lastNumber += 1;
    return lastNumber;
  }

  function answerTo<Found extends Answer>(as: number): Promise<Found | FeedFailure | HostDeath> {
    if (gone) return Promise.resolve({ reason, step: null });
    return new Promise<Answer | HostDeath>((resolve) => { asked.set(as, resolve); }) as Promise<Found | FeedFailure | HostDeath>;
  }

  function ask<Found extends Answer>(as: number, message: ToHost): Promise<Found | FeedFailure | HostDeath> {
    const answer = answerTo<Found>(as);
    if (!gone) child.stdin.write(lineOf(message));
    return answer;
  }

  /** Closes the feed when the signal aborts, and the host where it does not obey. */
  function untilOver<Outcome>(feed: number, outcome: Promise<Outcome>, signal: AbortSignal): Promise<Outcome> {
    let hung: NodeJS.Timeout | undefined;
    const close = (): void => {
      child.stdin.write(lineOf({ do: 'close', feed }));
      hung = setTimeout(() => { child.kill('SIGKILL'); }, HUNG_MS);
    };
    if (signal.aborted) close();
    else signal.addEventListener('abort', close, { once: true });
    return outcome.finally(() => {
      clearTimeout(hung);
      signal.removeEventListener('abort', close);
    });
  }

  const videoOf = (feed: number): FeedVideo => ({
    watch(onPart) {
      const watch = number();
      if (gone) {
        onPart({ is: 'end', why: GONE });
        return () => undefined;
      }
      watches.set(watch, onPart);
      child.stdin.write(lineOf({ do: 'watch', feed, watch }));
      return () => {
        if (watches.delete(watch)) child.stdin.write(lineOf({ do: 'unwatch', feed }));
      };
    },
    keep(seconds) {
      if (!gone) child.stdin.write(lineOf({ do: 'keep', feed, seconds }));
    },
    async clip(order) {
      const clip = number();
      const made = await ask<ClipMade>(clip, { do: 'clip', feed, clip, order });
      if ('begun_machine_ms' in made) return made;
      throw 'message' in made ? errorOf(made) : new LookoutError(GONE.code, GONE.message);
    },
    async record(order) {
      const [recording, end] = [number(), number()];
      const ended = answerTo<RecordEnded>(end).then((how) => ('ended' in how ? how.ended : 'message' in how ? how.message : GONE.message));
      const begun = await ask<RecordBegun>(recording, { do: 'record', feed, recording, end, order });
      if ('begun_machine_ms' in begun) return { ...begun, ended, stop() { if (!gone) child.stdin.write(lineOf({ do: 'stop', recording })); } };
      throw 'message' in begun ? errorOf(begun) : new LookoutError(GONE.code, GONE.message);
    },
  });

  return {
    get feeds() {
      return open.size;
    },
    get isGone() {
      return gone;
    },
    ended,
    run(request, { onOpen, onPicture }, signal) {
      if (gone) return Promise.resolve({ reason, step: null });
      const feed = number();
      const end = new Promise<FeedEnd>((resolve) => { open.set(feed, { onPicture, resolve }); });
      child.stdin.write(lineOf({ do: 'open', feed, request }));
      onOpen(videoOf(feed));
      return untilOver(feed, end, signal);
    },
    probe(request, signal) {
      const feed = number();
      return untilOver(feed, ask<Probed>(feed, { do: 'probe', feed, request }), signal);
    },
    memory: async () => (child.pid === undefined || gone ? null : memoryOfTree(child.pid)),
    async close() {
      child.stdin.end();
      const timer = setTimeout(() => { child.kill('SIGKILL'); }, CLOSING_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}

export function errorOf({ code, message, cause }: FeedFailure): LookoutError {
  return new LookoutError(code, message, cause === undefined ? {} : { cause: Object.assign(new Error(message), { code: cause }) });
}

/** null: what it was saying when it died. */
function messageIn(line: string): FromHost | null {
  try {
    return JSON.parse(line) as FromHost;
  } catch {
    return null;
  }
}

/** There are none where the system has no descriptors left, which Node tells by an error to come; where it has no memory left, it throws. */
function withPipes(start: () => ChildProcess, giveUp: () => void): ChildProcess & { readonly stdin: Writable; readonly stdout: Readable; readonly stderr: Readable; readonly video: Readable } {
  let child: ChildProcess;
  try {
    child = start();
  } catch (cause) {
    giveUp();
    throw new LookoutError('ffmpeg_failed', `no capture host can be started: ${(cause as Error).message}`, { cause });
  }
  const { stdin, stdout, stderr, stdio: { [VIDEO_FD]: video } } = child;
  if (stdin && stdout && stderr && video instanceof Readable) return Object.assign(child, { stdin, stdout, stderr, video });
  child.once('error', () => undefined);
  giveUp();
  throw new LookoutError('ffmpeg_failed', 'no capture host can be started: too many files are open');
}

/** A file without a name, which the host writes to and which is read when it has died. */
function openMarks(): number {
  const path = join(tmpdir(), `lookout-marks-${randomBytes(8).toString('hex')}`);
  try {
    const descriptor = openSync(path, 'wx+', 0o600);
    unlinkSync(path);
    return descriptor;
  } catch (error) {
    throw new LookoutError('ffmpeg_failed', `no capture host can be started: ${(error as Error).message}`, { cause: error });
  }
}

/** Which feeds it was in native code for, and what it did there. */
function readMarks(descriptor: number): ReadonlyMap<number, string> {
  const steps = new Map<number, string>();
  const mark = Buffer.alloc(MARK_BYTES);
  for (let place = 0; readSync(descriptor, mark, 0, MARK_BYTES, place * MARK_BYTES) > 0; place += 1) {
    const [, feed, step] = /^(\d+) ([^\0]*)/.exec(mark.toString('utf8')) ?? [];
    if (feed !== undefined && step !== undefined) steps.set(Number(feed), step);
  }
  return steps;
}
