/** One ffmpeg from start to end: its pictures are stamped and delivered, and it ends when it should not go on. */
import { LookoutError } from '../../errors.ts';
import { runCapture, type CaptureOptions } from '../../lib/ffmpeg.ts';
import type { Decoded } from '../../lib/ffmpeg-log.ts';
import { removeIfPresent } from '../../lib/files.ts';
import type { Latest } from '../../lib/latest.ts';
import type { Linked } from '../../lib/linked.ts';
import { hiderOf, shownAddress } from '../../lib/secrets.ts';
import type { CapturedFrame, PictureFile, StreamSpec } from '../../types.ts';
import type { OpenPassage, Passage } from '../network/passage.ts';
import type { PictureSettings } from '../pictures/jpeg.ts';
import { complaintError, silenceError } from './complaint.ts';
import { createContinuity } from './continuity.ts';
import { createDamage, isAllDamaged } from './damage.ts';
import { createFirstTime } from './first-time.ts';
import { createLearner, type Skip } from './learner.ts';
import { createPtsClock } from './pts-clock.ts';
import { createReturn } from './return.ts';
import { createSilence, ROUND_MS } from './silence.ts';

/** What is captured, and how. */
export interface Capture {
  readonly stream: StreamSpec;
  readonly settings: PictureSettings;
  /** Where its pictures go. */
  readonly folder: string;
  /** It is a file, played at its own speed. */
  readonly realTime: boolean;
  /** What it is, as ffmpeg calls it; none: ffmpeg finds out. */
  readonly format?: string;
  /** How ffmpeg gets there; none: it opens the stream's address itself. */
  readonly open?: OpenPassage;
}

/** Which pictures are decoded, whether packets may be told of, and whether it is looked longer at the stream first. */
export interface Way {
  readonly skip: Skip;
  readonly packets: boolean;
  readonly probe: boolean;
  /** Also pictures that are a little damaged. */
  readonly tolerant: boolean;
  /** When the connection before it showed its last whole picture, by a clock that nobody sets; null: nothing was shown. */
  readonly shownMs: number | null;
  /** How long the reason for more than key frames must be gone before they are tried again. */
  readonly returnMs: number;
}

export type Delivered = Omit<CapturedFrame, 'missed' | 'picture'> & { readonly picture: PictureFile };

/** A picture that waits until it can be dated. */
interface Picked {
  readonly facts: Decoded;
  readonly picture: PictureFile;
  readonly isFirst: boolean;
  readonly cameMs: number;
}

/** What runs, in words. */
const MODES: Readonly<Record<Skip, string>> = {
  nokey: 'keyframes',
  noref: 'all but B-frames',
  none: 'all',
};

/** A connection that goes on with a stream has at least so much less time than one that begins. */
const GOING_ON_MS = 5000;

/** A new connection is opened this long before the next picture is due. */
const RECONNECT_LEAD_MS = 500;

/** Resolves with a better way when it ended to be started anew with it. */
export async function connection({ stream, settings, folder, realTime, format, open }: Capture, way: Way, box: Latest<Delivered>, life: Linked): Promise<Way | null> {
  const { skip } = way;
  const { interval_seconds, capture_mode, transport, video_track } = stream.options;
  const options: Omit<CaptureOptions, 'url' | 'tcUrl'> = {
    transport, verify: stream.options.tls !== 'off', track: video_track, probe: way.probe, tolerant: way.tolerant, skip, intervalSeconds: interval_seconds, realTime, format, jpegQuality: settings.jpeg_quality, maxWidth: settings.max_width,
    packets: packetsFor(way),
  };
  const started = performance.now();
  const choosing = capture_mode === 'auto' && !realTime;
  const learning = choosing && skip === 'nokey';
  // Seldom, and ever more so: a stream that varies must not be opened anew all the time.
  const back = choosing && !learning ? createReturn(interval_seconds, !way.packets, way.returnMs, started) : null;
  const learner = createLearner(interval_seconds, started);
  const silence = createSilence({ skip, chosen: capture_mode === 'keyframes', intervalSeconds: interval_seconds }, Math.max(way.shownMs ?? started, started - GOING_ON_MS));
  const continuity = createContinuity(!realTime);
  const firstTime = createFirstTime();
  const damage = createDamage();
  let clock = createPtsClock();
  let wholePictures = 0;
  let decodedPictures = 0;
  let tolerate = false as boolean;
  let { shownMs } = way;
  let lastPacketMs: number | null = null;
  let settled = realTime;
  let better = null as Skip | null;
  let reason = null as LookoutError | null;
  let silentFor = null as string | null;
  let picked = 0;
  let held: Picked | null = null;
  /** When the connection that comes after this one should be opened. */
  let reconnectMs = 0;

  /** Decides what can be decided by now. Asked whenever something came, and every round. */
  function decide(now: number): void {
    settled ||= clock.settled(now);
    // Until it is known that nothing older is being read, and that pictures come in order, one may be older than it looks.
    if (held && settled && (!learning || learner.inOrder())) {
      deliver(held, now);
      held = null;
    }
    const verdict = learning ? learner.verdict(now) : back?.isDue(now) ? 'nokey' : skip;
    if (verdict !== skip) better ??= verdict;
    // The next connection's first picture should be the one that is due next.
    if (better && now >= reconnectMs) life.abort();
  }

  function deliver({ facts, picture, isFirst, cameMs }: Picked, now: number): void {
    const { width, height } = facts;
    reconnectMs = now + interval_seconds * 1000 - RECONNECT_LEAD_MS;
    // What ffmpeg guesses is no time: without a better one, that of its coming will do.
    const ptsSeconds = isFirst && !realTime ? firstTime.of(facts) : facts.ptsSeconds;
    const ageMs = ptsSeconds === null ? now - cameMs : clock.ageMs(ptsSeconds, now);
    const captured_at = new Date(Date.now() - ageMs).toISOString();
    const missed = box.put({ captured_at, width, height, picture, mode: MODES[skip] });
    if (missed) discard(missed.picture);
  }

  function discard({ file }: PictureFile): void {
    removeIfPresent(file).catch((error: unknown) => {
      box.fail(error);
      life.abort();
    });
  }

  function end(why: LookoutError): void {
    reason ??= why;
    life.abort();
  }

  function watch(): void {
    const now = performance.now();
    decide(now);
    if (!way.tolerant && skip === 'nokey' && wholePictures === 0 && isAllDamaged(damage.inARow, now - started)) {
      tolerate = true;
      life.abort();
      return;
    }
    const silent = silence.tooLong(now, learner.keyFrameSpacing());
    if (!silent) return;
    silentFor ??= silent;
    life.abort();
  }

  /** null: there is none to be opened, or nobody waits for it any more. */
  async function opened(): Promise<Passage | null> {
    try {
      return await open?.(life.signal) ?? null;
    } catch (error) {
      if (life.signal.aborted) return null;
      throw error;
    }
  }

  // A file may hold gaps, and cannot stall.
  const watchdog = realTime ? undefined : setInterval(watch, ROUND_MS);
  let passage: Passage | null = null;
  const own = hiderOf(stream.url);
  // Nobody knows the camera by the way to it.
  const hide = (text: string): string => own(passage && passage.url !== stream.url ? text.replaceAll(passage.url, shownAddress(stream.url)) : text);
  try {
    passage = await opened();
    const complaints = await runCapture({ ...options, url: passage?.url ?? stream.url, tcUrl: passage?.tcUrl }, folder, {
      onDecoded(decoded) {
        const now = performance.now();
        decodedPictures += 1;
        const isWhole = damage.decoded(decoded);
        learner.decoded();
        back?.decoded();
        firstTime.decoded(decoded);
        if (isWhole) {
          wholePictures += 1;
          shownMs = now;
          silence.decoded(decoded.ptsSeconds, now);
        }
        // The time of the first is a guess, good enough until there is another.
        if (options.packets === 'none' && decodedPictures === 2 && !realTime) clock = createPtsClock();
        // A decoder that puts pictures into order hands them out late; packets are not.
        if (options.packets === 'none' || (options.packets === 'first' && decodedPictures > 1)) clock.arrived(decoded.ptsSeconds, now);
        const changed = continuity.decoded(decoded);
        if (changed) end(new LookoutError('stream_ended', `the stream ended: ${changed}`));
      },
      onComplaint: (words) => { damage.complained(words); },
      onPacket({ ptsSeconds, key, pieced }) {
        const now = performance.now();
        learner.packet(ptsSeconds, key);
        back?.packet(ptsSeconds, key);
        firstTime.packet(ptsSeconds, key);
        // A key frame that came damaged is not to come.
        silence.packet(skip !== 'nokey' || damage.inARow === 0);
        // A slow camera's picture came long before the next one, with which it is told.
        const cameMs = pieced ? lastPacketMs : now;
        if (cameMs !== null) clock.arrived(ptsSeconds, cameMs);
        lastPacketMs = now;
        decide(now);
      },
      onPicture(picture, facts) {
        const now = performance.now();
        silence.picked(now);
        if (damage.isDamaged(facts.ptsSeconds)) {
          discard(picture);
          return;
        }
        if (held) discard(held.picture);
        picked += 1;
        held = { facts, picture, isFirst: picked === 1, cameMs: now };
        decide(now);
      },
    }, life.signal);
    if (reason) throw reason;
    if (silentFor !== null) throw silenceError(silentFor, decodedPictures > 0 ? [] : complaints, damage.inARow, hide);
    if (!life.signal.aborted) {
      // A camera that says nothing of its pictures beforehand, joined between two key frames: packets need their size.
      const blind = options.packets !== 'none' && complaints.includes('dimensions not set');
      if (!blind) throw passage?.failure() ?? complaintError(complaints, decodedPictures > 0, transport, hide);
      box.close();
      return way.probe ? { ...way, skip: learning ? 'none' : skip, packets: false } : { ...way, probe: true };
    }
    box.close();
    if (tolerate) return { ...way, tolerant: true, shownMs };
  } catch (error) {
    box.fail(error);
  } finally {
    clearInterval(watchdog);
    await passage?.close();
  }
  return better && { ...way, skip: better, packets: true, shownMs };
}

/** Key frames set the clock by themselves, so the first packets are enough, to learn from and to tell what is late. */
function packetsFor({ skip, packets }: Way): CaptureOptions['packets'] {
  if (!packets) return 'none';
  return skip === 'nokey' ? 'first' : 'all';
}
