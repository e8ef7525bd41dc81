/** One camera in a capture host: connected, and its pictures made as they become due. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LookoutError } from '../../../errors.ts';
import { machineMs } from '../../../lib/clock.ts';
import { removeIfPresent } from '../../../lib/files.ts';
import { isTorn, measure } from '../../../lib/jpeg.ts';
import { linked } from '../../../lib/linked.ts';
import { hiderOf } from '../../../lib/secrets.ts';
import { silenceError } from '../../ffmpeg/complaint.ts';
import { isAllDamaged } from '../../ffmpeg/damage.ts';
import { createPtsClock } from '../../ffmpeg/pts-clock.ts';
import { createSilence, ROUND_MS } from '../../ffmpeg/silence.ts';
import { willDo } from '../../pictures/jpeg.ts';
import type { Unit } from '../../rtp/unit.ts';
import { play, type Playing } from '../../rtsp/client.ts';
import type { FeedRequest } from '../messages.ts';
import type { Still } from '../native/jpeg.ts';
import { createChooser } from './chooser.ts';
import { createDue } from './due.ts';
import { createFollowing, type Following } from './following.ts';
import { createGroup, kept } from './group.ts';
import { watchForHang } from './hang.ts';
import { createNewest } from './newest.ts';
import { createStills, type Stills } from './stills.ts';
import type { Surroundings } from './surroundings.ts';

/** What is let go has waited for so long at the most. */
const LONGEST_LET_GO_SECONDS = 60;

/** A picture that waits until it can be dated. */
interface Held {
  readonly file: string;
  readonly bytes: number;
  readonly width: number;
  readonly height: number;
  readonly ptsSeconds: number;
  readonly mode: string;
  readonly missed: number;
}

/** The first picture that was let go since the last that was not. */
interface LetGo {
  readonly ptsSeconds: number;
  readonly toldMs: number;
}

/** Ends by abort, or throws when the stream ends, stalls or cannot be opened. */
export async function runFeed(request: FeedRequest, surroundings: Surroundings, signal: AbortSignal): Promise<void> {
  const { url, tls, video_track, interval_seconds, capture_mode, bounds, folder } = request;
  const { tape } = surroundings;
  const settings = { quality: request.jpeg_quality, maxWidth: request.max_width };
  const life = linked(signal);
  const startedMs = performance.now();
  const clock = createPtsClock();
  const due = createDue(interval_seconds);
  const chooser = createChooser(interval_seconds);
  const silence = createSilence({ skip: 'nokey', chosen: capture_mode === 'keyframes', intervalSeconds: interval_seconds }, startedMs);
  const group = createGroup();
  let playing = null as Playing | null;
  let stills = null as Stills | null;
  let following = null as Following | null;
  let leaving: Promise<unknown> = Promise.resolve();
  let held = null as Held | null;
  let settled = false;
  let pictures = 0;
  /** Key frames that came damaged since the last whole one. */
  let damaged = 0;
  let hasKeys = false;
  let leftOut = false;
  /** Pictures since the last whole one that could be decoded but in part. */
  let inVain = 0;
  let tolerant = false;
  /** Ticks whose pictures were let go since the last picture, and since when more are. */
  let letGo = 0;
  let letGoSince = null as LetGo | null;

  const fail = (error: unknown): void => { life.abort(error); };
  /** JPEGs as they came, which may come faster than they can be written. */
  const passing = createNewest<{ readonly still: Still; readonly ptsSeconds: number }>(async (take) => {
    const taken = take();
    if (taken) await keep(taken.item.still, taken.item.ptsSeconds, 'keyframes', taken.missed);
  }, fail);

  function onUnit(unit: Unit, cameMs: number): void {
    const now = performance.now();
    clock.arrived(unit.ptsSeconds, cameMs);
    if (unit.key) damaged = unit.damaged ? damaged + 1 : 0;
    hasKeys ||= unit.key;
    silence.packet(damaged === 0);
    deliverIfSettled(now);
    if (unit.damaged) {
      following?.taint();
      return;
    }
    tape.unit(unit);
    chooser.unit(unit.ptsSeconds, unit.key, now);
    if (playing?.codec === 'jpeg') whole(unit, now);
    else if (!tolerant && (capture_mode === 'all' || (capture_mode === 'auto' && chooser.verdict() === 'all'))) follow(unit);
    else keyFrames(unit, now);
  }

  /** Each is a picture by itself, a key frame as any engine calls it. */
  function whole(unit: Unit, now: number): void {
    silence.decoded(unit.ptsSeconds, now);
    if (!due.has(unit.ptsSeconds)) return;
    const jpeg = Buffer.concat(unit.parts);
    const size = measure(jpeg);
    if (!size || isTorn(jpeg)) return;
    due.take(unit.ptsSeconds);
    silence.picked(now);
    if (willDo(size, { jpeg_quality: settings.quality, max_width: settings.maxWidth })) passing.give({ still: { jpeg, ...size }, ptsSeconds: unit.ptsSeconds });
    else still().show({ bytes: jpeg, ptsSeconds: unit.ptsSeconds, key: true });
  }

  function keyFrames(unit: Unit, now: number): void {
    if (following) leave(following);
    const isUndecided = chooser.verdict() === null && capture_mode === 'auto';
    const isDue = unit.key && due.has(unit.ptsSeconds);
    // Those that are not due show that it goes on, once one was a picture.
    if (unit.key && pictures > 0) silence.decoded(unit.ptsSeconds, now);
    if (!isUndecided && !isDue) {
      group.take();
      return;
    }
    const own = kept(unit, parameterSets);
    if (isUndecided) group.add(own);
    if (!isDue) return;
    due.take(unit.ptsSeconds);
    silence.picked(now);
    still().show(own, tolerant);
  }

  function follow(unit: Unit): void {
    if (capture_mode === 'auto' && !unit.reference) {
      leftOut = true;
      return;
    }
    following ??= createFollowing(playing?.codec ?? 'h264', parameterSets, capture_mode === 'all' ? 'none' : 'noref', settings, surroundings, {
      onShown(ptsSeconds, isWhole) {
        if (!isWhole) {
          inVain += 1;
          return false;
        }
        const now = performance.now();
        silence.decoded(ptsSeconds, now);
        if (!due.has(ptsSeconds)) return false;
        if (letGoSince) letGo += ticksWithout(letGoSince, ptsSeconds, now);
        letGoSince = null;
        due.take(ptsSeconds);
        silence.picked(now);
        return true;
      },
      onStill(made, ptsSeconds, missed) {
        const all = missed + letGo;
        letGo = 0;
        return keep(made, ptsSeconds, leftOut ? 'all but B-frames' : 'all', all);
      },
      onLetGo(ptsSeconds) { letGoSince ??= { ptsSeconds, toldMs: performance.now() }; },
      fail,
    }, life.signal);
    // The decoder must have seen all since the last key frame.
    for (const before of group.take()) following.push(before);
    following.push(kept(unit, parameterSets));
  }

  /** Not more than there were in this time, however far the camera's clock was set meanwhile. */
  function ticksWithout({ ptsSeconds, toldMs }: LetGo, until: number, now: number): number {
    const latest = ptsSeconds + LONGEST_LET_GO_SECONDS + (now - toldMs) / 1000;
    return Math.max(0, due.between(ptsSeconds, Math.min(until, latest)) - 1);
  }

  function leave(old: Following): void {
    following = null;
    leaving = Promise.all([leaving, old.close()]).catch(fail);
  }

  const still = (): Stills => stills ??= createStills(playing?.codec ?? 'h264', settings, surroundings, {
    async onStill(made, ptsSeconds, missed) {
      chooser.yielded(made !== null);
      if (made && pictures === 0) silence.decoded(ptsSeconds, performance.now());
      if (made) await keep(made, ptsSeconds, 'keyframes', missed);
      else inVain += 1;
    },
    fail,
  }, life.signal);

  const parameterSets = (): Buffer => playing?.parameterSets() ?? Buffer.alloc(0);

  async function keep({ jpeg, width, height }: Still, ptsSeconds: number, mode: string, missed: number): Promise<void> {
    // Another host may have left some that wait for whoever takes them.
    const file = join(folder, `picture-${process.pid}${String(pictures).padStart(9, '0')}.tmp`);
    pictures += 1;
    inVain = 0;
    await writeFile(file, jpeg).catch((error: unknown) => {
      throw new LookoutError('ffmpeg_failed', `its pictures cannot be written: ${(error as Error).message}`, { cause: error });
    });
    const before = held;
    held = { file, bytes: jpeg.length, width, height, ptsSeconds, mode, missed: missed + (before?.missed ?? 0) };
    deliverIfSettled(performance.now());
    if (before) await removeIfPresent(before.file);
  }

  /** Until it is known that nothing older is being read, a picture may be older than it looks. */
  function deliverIfSettled(now: number): void {
    settled ||= clock.settled(now);
    if (!held || !settled || life.signal.aborted) return;
    const { ptsSeconds, ...picture } = held;
    held = null;
    surroundings.deliver({ ...picture, taken_machine_ms: machineMs() - clock.ageMs(ptsSeconds, now), clock_offset_seconds: playing?.clockOffsetSeconds() ?? null });
  }

  function watch(): void {
    const now = performance.now();
    deliverIfSettled(now);
    // A camera that shows nothing better is better than nothing; one without key frames does once it is followed for long enough.
    tolerant ||= hasKeys && pictures === 0 && isAllDamaged(inVain, now - startedMs);
    const silent = silence.tooLong(now, following ? null : chooser.keyFrameSpacing());
    if (silent) fail(silenceError(silent, [], damaged + inVain, hiderOf(url)));
  }

  const watchdog = setInterval(watch, ROUND_MS);
  try {
    playing = await play({ url, tls, videoTrack: video_track }, bounds, onUnit, life.signal);
    tape.begin({ ...playing, era: () => clock.era(), ageMs: (ptsSeconds) => clock.ageMs(ptsSeconds, performance.now()) });
    await playing.ended;
    if (!life.signal.aborted) throw new LookoutError('stream_ended', 'the stream ended');
  } catch (error) {
    fail(error);
  } finally {
    clearInterval(watchdog);
    life.abort();
    const hang = watchForHang();
    await Promise.all([passing.close(), stills?.close(), following?.close(), leaving, tape.end()]).finally(hang.over);
  }
  if (!signal.aborted) throw life.signal.reason as Error;
}
