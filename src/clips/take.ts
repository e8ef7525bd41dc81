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

/** An event that a take is to show. */
export interface Shown {
  readonly event: string;
  /** In milliseconds since 1970. */
  readonly fromMs: number;
  /** From then on, however long it lasts. */
  readonly longest_seconds: number;
}

export interface Take {
  readonly camera_id: string;
  /** Answers whether it shows this one too. */
  join(other: Shown): boolean;
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
/** An event joins what can show so much of the longest clip that it may have. */
const LEAST_SHARE = 0.5;

export function startTake(first: Shown, longestSeconds: number, parts: TakeParts): Take {
  const { camera_id, folder, clips, record, framesSince, clock, failed, closed, signal } = parts;
  const inTurn = createTurns();
  /** Frames do not wait until a clip is made: by then they may be gone. */
  const linkInTurn = createTurns();
  /** `untilMs`: of those that have ended. */
  const shown = new Map<string, Shown & { readonly untilMs: number }>();
  /** Aborts when nothing more is recorded. */
  const over = linked(signal);
  const isOver = (): boolean => over.signal.aborted;
  let { fromMs } = first;
  /** It can begin no earlier any more. */
  let isBegun = false;
  let facts: DraftFacts | null = null;
  let stopRecording = (): void => undefined;
  /** All that came of it is written. */
  let written: Promise<unknown> = Promise.resolve();
  /** By when what it begins with is. */
  let writtenMs = -Infinity;
  /** How much of what is wanted has come; and what the clip that is kept shows. */
  let reachedMs = -Infinity;
  let kept = { untilMs: -Infinity, events: 0 };
  let cancelAlarm = (): void => undefined;

  /** From when on its length counts: of cameras that are looked at seldom it may begin long before. */
  const beginsMs = (): number => Math.max(fromMs, facts ? Date.parse(facts.begins_at) : -Infinity);
  const longestMs = (): number => beginsMs() + 1000 * longestSeconds;
  /** Until when somebody wants it, as far as is known. */
  const wantedMs = (): number => Math.min(longestMs(), Math.max(...[...shown.values()].map((one) => Math.min(one.untilMs, Math.max(one.fromMs, beginsMs()) + 1000 * one.longest_seconds))));

  async function begin(): Promise<void> {
    await makeFolder(folder);
    isBegun = true;
    const recording = await record(videoOf(folder), { before_seconds: Math.max(0, clock.now() - fromMs) / 1000, longest_seconds: longestSeconds }).catch((error: unknown) => {
      if (isOfDisk(error)) throw error;
      return null;
    });
    const frames = recording ? [] : framesSince(fromMs);
    const begins_at = recording?.begins_at ?? new Date(frames[0]?.ms ?? clock.now()).toISOString();
    const { codec = 'h264', width = 0, height = 0, reason = null } = recording ?? {};
    facts = { id: clipId(camera_id, begins_at), camera_id, made_of: recording ? 'video' : 'frames', events: [], begins_at, ends_at: begins_at, codec, width, height, reason };
    for (const frame of frames) await addIfThere(frame);
    await save();
    setAlarm();
    if (!recording) return;
    stopRecording = () => { recording.stop(); };
    writtenMs = clock.now() + LATE_MS;
    if (isOver()) stopRecording();
    written = recording.ended.then((why) => {
      if (facts) facts = { ...facts, reason: facts.reason ?? why };
      void close();
    });
  }

  async function addIfThere(frame: HeldFrame): Promise<void> {
    await addFrame(folder, frame).catch((error: unknown) => { if (!hasCode(error, 'ENOENT')) throw error; });
  }

  function show(one: Shown, untilMs = Infinity): void {
    shown.set(one.event, { ...one, untilMs });
    setAlarm();
  }

  function setAlarm(): void {
    cancelAlarm();
    if (!isOver()) cancelAlarm = clock.after(wantedMs() + LINGER_MS - clock.now(), () => { void close(); });
  }

  const until = (ms: number): DraftFacts | null => facts && { ...facts, events: [...shown.keys()], ends_at: new Date(ms).toISOString() };

  /** For the next start, should this run be killed. */
  async function save(): Promise<void> {
    const now = until(wantedMs());
    if (now) await writeFacts(folder, now);
  }

  async function keep(): Promise<void> {
    await linkInTurn(() => Promise.resolve());
    const untilMs = isOver() ? wantedMs() : Math.min(reachedMs, wantedMs());
    const now = until(untilMs);
    if (!now || (kept.untilMs >= untilMs && kept.events === now.events.length)) return;
    const { id, made_of, events } = now;
    await clips.keep({ id, camera_id, made_of, events }, (file) => finish(folder, now, file, new AbortController().signal));
    kept = { untilMs, events: events.length };
  }

  async function close(): Promise<void> {
    cancelAlarm();
    over.abort();
    stopRecording();
    await inTurn(async () => {
      const patience = new AbortController();
      await Promise.race([written, clock.sleep(LATE_MS, patience.signal)]).finally(() => { patience.abort(); });
      await keep().catch(failed);
      facts = null;
      await rm(folder, { recursive: true, force: true });
    }).catch(failed);
    closed();
  }

  show(first);
  const begun = inTurn(begin).catch((error: unknown) => {
    failed(error);
    void close();
  });

  return {
    camera_id,
    join(other) {
      if (isOver() || other.fromMs > wantedMs() || other.fromMs + LEAST_SHARE * 1000 * other.longest_seconds > longestMs()) return false;
      if (isBegun && other.fromMs < fromMs) return false;
      fromMs = Math.min(fromMs, other.fromMs);
      show(other);
      inTurn(save).catch(failed);
      return true;
    },
    async leave(event, untilMs) {
      const own = shown.get(event);
      if (!own) return;
      show(own, untilMs);
      await begun;
      await clock.sleep(Math.max(untilMs + LATE_MS, writtenMs) - clock.now(), over.signal);
      reachedMs = Math.max(reachedMs, untilMs);
      await inTurn(async () => {
        await save();
        await keep();
      }).catch(failed);
    },
    add(frame) {
      if (facts?.made_of !== 'frames' || isOver()) return;
      if (frame.ms > longestMs()) void close();
      else linkInTurn(() => addIfThere(frame)).catch(failed);
    },
    close,
  };
}
