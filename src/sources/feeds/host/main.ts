/** A capture host: holds the connections of some cameras, told by lines on standard input, until that ends. */
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { untilAborted } from '../../../lib/abort.ts';
import { lineOf, type FeedRequest, type FromHost, type ToHost } from '../messages.ts';
import { failureOf } from './failure.ts';
import { runFeed } from './feed.ts';
import { createMarks } from './marks.ts';
import type { Turn } from './surroundings.ts';

/** Cameras are taken leave of within this. */
const GOODBYE_MS = 1000;

interface Open {
  readonly stopping: AbortController;
  readonly ended: Promise<void>;
}

const feeds = new Map<number, Open>();
const turns = new Map<number, () => void>();
const marks = createMarks();
let lastTurn = 0;

function say(message: FromHost): void {
  process.stdout.write(lineOf(message));
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
  return {
    mark,
    rest() {
      done();
      say({ is: 'rested', turn });
    },
  };
}

function open(feed: number, request: FeedRequest): void {
  const stopping = new AbortController();
  const ended = runFeed(request, {
    turn: (signal) => takeTurn(feed, signal),
    deliver: (picture) => { say({ is: 'picture', feed, picture }); },
  }, stopping.signal).then(() => null, failureOf).then((failure) => {
    feeds.delete(feed);
    say({ is: 'ended', feed, failure });
  });
  feeds.set(feed, { stopping, ended });
}

function obey(message: ToHost): void {
  if (message.do === 'open') open(message.feed, message.request);
  else if (message.do === 'close') feeds.get(message.feed)?.stopping.abort();
  else turns.get(message.turn)?.();
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
process.stdout.on('error', () => { process.kill(process.pid, 'SIGKILL'); });
