/**
 * One recording of a camera, shared by the events that go on while it does. Whenever one of them ends, what is wanted so far is
 * kept as the clip of all of them; with a later end a longer one comes in its place. What comes is written to the disk, and finished
 * by copying: how long an event lasts is not known when it begins.
 */
import { rm } from 'node:fs/promises';
import type { Clock } from '../lib/clock.ts';
import { hasCode, makeFolder } from '../lib/files.ts';
import { linked } from '../lib/linked.ts';
import { isOfDisk } from '../lib/transient.ts';
import { createTurns } from '../lib/turns.ts';
import type { Clips } from '../store/clips.ts';
import { clipId } from '../store/names.ts';
import type { Recording, RecordingRequest } from '../types.ts';
import { addFrame, finish, videoOf, writeFacts, type DraftFacts } from './draft.ts';
import type { HeldFrame } from './reel.ts';

export interface Take {
  /** Answers whether it shows the event too, from that time on. */
  join(event: string, fromMs: number): boolean;
  /** The event has ended, and is to be shown until then. Resolves when its clip is kept, or never will be. */
  leave(event: string, untilMs: number): Promise<void>;
  /** A frame was captured. */
  add(frame: HeldFrame): void;
  /** Records no more: what there is of events that go on is their clip. */
  close(): Promise<void>;
}

export interface TakeParts {
  readonly camera_id: string;
  /** Which is not there yet. */
  readonly folder: string;
  readonly clips: Pick<Clips, 'keep'>;
  /** Rejects where there is no video to be copied: then it is made of frames. */
  readonly record: (file: string, wanted: RecordingRequest) => Promise<Recording>;
  readonly framesSince: (ms: number) => readonly HeldFrame[];
  readonly clock: Clock;
  /** No clip is kept, or not all of it. */
  readonly failed: (error: unknown) => void;
  /** It records no more, and what is to be kept of it is. */
  readonly closed: () => void;
  readonly signal: AbortSignal;
}

/** Video comes a little later than it is taken. */
const LATE_MS = 500;
/** An event that begins so soon after the last one has ended may be shown by the same clip. */
const LINGER_MS = 15_000;

export function startTake(event: string, fromMs: number, longestSeconds: number, parts: TakeParts): Take {
  const { camera_id, folder, clips, record, framesSince, clock, failed, closed, signal } = parts;
  const inTurn = createTurns();
  const events = [event];
  const goingOn = new Set(events);
  /** Aborts when nothing more is recorded. */
  const over = linked(signal);
  const isOver = (): boolean => over.signal.aborted;
  const longestMs = ({ begins_at }: DraftFacts): number => Date.parse(begins_at) + 1000 * longestSeconds;
  let facts: DraftFacts | null = null;
  let stopRecording = (): void => undefined;
  /** Until when those that have ended are to be shown; and what the clip that is kept shows. */
  let wantedMs = -Infinity;
  let kept = { untilMs: -Infinity, events: 0 };
  let cancelLinger = (): void => undefined;

  async function begin(): Promise<void> {
    await makeFolder(folder);
    const recording = await record(videoOf(folder), { before_seconds: Math.max(0, clock.now() - fromMs) / 1000, longest_seconds: longestSeconds }).catch((error: unknown) => {
      if (isOfDisk(error)) throw error;
      return null;
    });
    const frames = recording ? [] : framesSince(fromMs);
    const begins_at = recording?.begins_at ?? new Date(frames[0]?.ms ?? clock.now()).toISOString();
    const { codec = 'h264', width = 0, height = 0, reason = null } = recording ?? {};
    facts = { id: clipId(camera_id, begins_at), camera_id, made_of: recording ? 'video' : 'frames', events, begins_at, ends_at: begins_at, codec, width, height, reason };
    for (const frame of frames) await addIfThere(frame);
    await save();
    if (!recording) return;
    stopRecording = () => { recording.stop(); };
    void recording.ended.then((why) => {
      if (facts) facts = { ...facts, reason: facts.reason ?? why };
      void close();
    });
  }

  const begun = inTurn(begin).catch((error: unknown) => {
    failed(error);
    void close();
  });

  async function addIfThere(frame: HeldFrame): Promise<void> {
    await addFrame(folder, frame).catch((error: unknown) => { if (!hasCode(error, 'ENOENT')) throw error; });
  }

  function wanted(untilMs: number): DraftFacts | null {
    return facts && { ...facts, events: [...events], ends_at: new Date(Math.min(untilMs, longestMs(facts))).toISOString() };
  }

  /** For the next start, should this run be killed. */
  async function save(): Promise<void> {
    const now = wanted(goingOn.size > 0 ? Infinity : wantedMs);
    if (now) await writeFacts(folder, now);
  }

  async function keep(): Promise<void> {
    const untilMs = isOver() && goingOn.size > 0 ? Infinity : wantedMs;
    const now = wanted(untilMs);
    if (!now || (kept.untilMs >= untilMs && kept.events === now.events.length)) return;
    const { id, made_of } = now;
    await clips.keep({ id, camera_id, made_of, events: now.events }, (file) => finish(folder, now, file, new AbortController().signal));
    kept = { untilMs, events: now.events.length };
  }

  async function close(): Promise<void> {
    cancelLinger();
    over.abort();
    stopRecording();
    await inTurn(async () => {
      await keep().catch(failed);
      facts = null;
      await rm(folder, { recursive: true, force: true });
    }).catch(failed);
    closed();
  }

  return {
    join(other, otherFromMs) {
      if (isOver() || (goingOn.size === 0 && otherFromMs > wantedMs)) return false;
      cancelLinger();
      events.push(other);
      goingOn.add(other);
      inTurn(save).catch(failed);
      return true;
    },
    async leave(one, untilMs) {
      goingOn.delete(one);
      wantedMs = Math.max(wantedMs, untilMs);
      await begun;
      await clock.sleep(untilMs + LATE_MS - clock.now(), over.signal);
      await inTurn(async () => {
        await save();
        await keep();
      }).catch(failed);
      if (goingOn.size > 0 || isOver()) return;
      cancelLinger();
      cancelLinger = clock.after(LINGER_MS, () => { void close(); });
    },
    add(frame) {
      if (facts?.made_of !== 'frames' || isOver()) return;
      if (frame.ms > longestMs(facts)) void close();
      else inTurn(() => addIfThere(frame)).catch(failed);
    },
    close,
  };
}
