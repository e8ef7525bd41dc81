/** A capture host: holds the connections of some cameras, told by lines on standard input, until that ends. */
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { LookoutError } from '../../../errors.ts';
import { untilAborted } from '../../../lib/abort.ts';
import { lineOf, VIDEO_FD, type ClipOrder, type FeedRequest, type FromHost, type RecordOrder, type ToHost } from '../messages.ts';
import { packed, type VideoPart } from '../video-pipe.ts';
import { failureOf } from './failure.ts';
import { runFeed } from './feed.ts';
import { watchForHang } from './hang.ts';
import { probe } from './probe.ts';
import { createMarks } from './marks.ts';
import type { Turn } from './surroundings.ts';
import { createRings } from './tape/ring.ts';
import { createTape, LOST, type Tape, type TapeRecording } from './tape/tape.ts';

// What comes of cameras lies outside of V8's heap, which is small: by its own measure it would look through all of it each second.
setFlagsFromString('--heap-growing-percent=400');

/** Cameras are taken leave of within this. */
const GOODBYE_MS = 1000;
/** Of video that Lookout does not read in time: what more comes is left out up to a key frame. */
const MOST_UNREAD_BYTES = 32 * 1024 * 1024;
/** Video of all cameras goes in one write: one for each picture costs more than the picture. */
const GATHER_MS = 80;

interface Open {
  readonly stopping: AbortController;
  readonly ended: Promise<void>;
  /** null: it is only looked at. */
  readonly tape: Tape | null;
}

const feeds = new Map<number, Open>();
const recordings = new Map<number, TapeRecording>();
const turns = new Map<number, () => void>();
const marks = createMarks();
const rings = createRings();
const video = new Socket({ fd: VIDEO_FD, readable: false, writable: true });
/** What is watched and had something left out since its last key frame. */
const behind = new Set<number>();
let isGathering = false;
let lastTurn = 0;

function say(message: FromHost): void {
  process.stdout.write(lineOf(message));
}

function send(watch: number, part: VideoPart): void {
  if (part.is === 'key' || part.is === 'end') behind.delete(watch);
  if (part.is === 'key' || part.is === 'picture') {
    if (video.writableLength > MOST_UNREAD_BYTES) behind.add(watch);
    if (behind.has(watch)) return;
  }
  gather();
  for (const bytes of packed(watch, part)) video.write(bytes);
}

function gather(): void {
  if (isGathering) return;
  isGathering = true;
  video.cork();
  setTimeout(() => {
    isGathering = false;
    video.uncork();
  }, GATHER_MS);
}

async function takeTurn(feed: number, signal: AbortSignal): Promise<Turn> {
  lastTurn += 1;
  const turn = lastTurn;
  const mine = new Promise<void>((resolve) => { turns.set(turn, resolve); });
  say({ is: 'waiting', turn });
  try {
    await untilAborted(mine, signal);
  } catch (error) {
    say({ is: 'rested', turn });
    throw error;
  } finally {
    turns.delete(turn);
  }
  const { mark, done } = marks.take(feed);
  const hang = watchForHang();
  return {
    mark(step) {
      hang.goesOn();
      mark(step);
    },
    rest() {
      hang.over();
      done();
      say({ is: 'rested', turn });
    },
  };
}

function open(feed: number, request: FeedRequest): void {
  const stopping = new AbortController();
  const tape = createTape({ pre_roll_seconds: request.pre_roll_seconds, rings, takeMark: () => marks.take(feed) });
  const ended = runFeed(request, {
    tape,
    turn: (signal) => takeTurn(feed, signal),
    deliver: (picture) => { say({ is: 'picture', feed, picture }); },
  }, stopping.signal).then(() => null, failureOf).then((failure) => {
    feeds.delete(feed);
    say({ is: 'ended', feed, failure });
  });
  feeds.set(feed, { stopping, ended, tape });
}

function lookAt(feed: number, request: FeedRequest): void {
  const stopping = new AbortController();
  const ended = probe(request, { turn: (signal) => takeTurn(feed, signal) }, stopping.signal).catch(failureOf).then((answer) => {
    feeds.delete(feed);
    say({ is: 'answer', to: feed, answer });
  });
  feeds.set(feed, { stopping, ended, tape: null });
}

function watch(feed: number, number: number): void {
  const tape = feeds.get(feed)?.tape;
  if (tape) tape.watch((part) => { send(number, part); });
  else send(number, { is: 'end', why: LOST });
}

function tapeOf(feed: number): Tape {
  const tape = feeds.get(feed)?.tape;
  if (!tape) throw new LookoutError(LOST.code, LOST.message);
  return tape;
}

async function makeClip(feed: number, clip: number, order: ClipOrder): Promise<void> {
  const answer = await Promise.resolve().then(() => tapeOf(feed).clip(order)).catch(failureOf);
  say({ is: 'answer', to: clip, answer });
}

async function record(feed: number, recording: number, end: number, order: RecordOrder): Promise<void> {
  try {
    const own = tapeOf(feed).record(order);
    recordings.set(recording, own);
    say({ is: 'answer', to: recording, answer: await own.begun });
    say({ is: 'answer', to: end, answer: { ended: await own.ended } });
  } catch (error) {
    for (const to of [recording, end]) say({ is: 'answer', to, answer: failureOf(error) });
  } finally {
    recordings.delete(recording);
  }
}

function obey(message: ToHost): void {
  switch (message.do) {
    case 'open': open(message.feed, message.request); return;
    case 'probe': lookAt(message.feed, message.request); return;
    case 'close': feeds.get(message.feed)?.stopping.abort(); return;
    case 'watch': watch(message.feed, message.watch); return;
    case 'unwatch': feeds.get(message.feed)?.tape?.watch(null); return;
    case 'keep': feeds.get(message.feed)?.tape?.keep(message.seconds); return;
    case 'clip': void makeClip(message.feed, message.clip, message.order); return;
    case 'record': void record(message.feed, message.recording, message.end, message.order); return;
    case 'stop': recordings.get(message.recording)?.end(null); return;
    case 'decode': turns.get(message.turn)?.();
  }
}

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => { obey(JSON.parse(line) as ToHost); });
lines.once('close', () => {
  const ends = [...feeds.values()].map(({ stopping, ended }) => {
    stopping.abort();
    return ended;
  });
  // An exit would wait for native calls, which may hang.
  void Promise.race([Promise.all(ends), sleep(GOODBYE_MS)]).then(() => { process.kill(process.pid, 'SIGKILL'); });
});
// Whoever read them has gone.
for (const way of [process.stdout, video]) way.on('error', () => { process.kill(process.pid, 'SIGKILL'); });
