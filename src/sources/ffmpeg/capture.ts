/** Pictures of one camera through one ffmpeg: learns which pictures to decode, stamps them, notices when they stop. */
import { LookoutError } from '../../errors.ts';
import { removePictures, runCapture, type CaptureOptions } from '../../lib/ffmpeg.ts';
import type { Decoded } from '../../lib/ffmpeg-log.ts';
import { removeIfPresent } from '../../lib/files.ts';
import { createLatest, type Latest } from '../../lib/latest.ts';
import { linked, type Linked } from '../../lib/linked.ts';
import type { CapturedFrame, PictureFile, StreamSpec } from '../../types.ts';
import type { PictureSettings } from '../pictures/jpeg.ts';
import { complaintError } from './complaint.ts';
import { createContinuity } from './continuity.ts';
import { createLearner, type Skip } from './learner.ts';
import { createPtsClock } from './pts-clock.ts';
import { createSilence, ROUND_MS } from './silence.ts';

/** Which pictures are decoded, and whether packets are told of. */
interface Way {
  readonly skip: Skip;
  readonly packets: boolean;
}

/** What is captured, and how. */
export interface Capture {
  readonly stream: StreamSpec;
  readonly settings: PictureSettings;
  /** Where its pictures go. */
  readonly folder: string;
  /** It is a file, played at its own speed. */
  readonly realTime: boolean;
}

type Delivered = Omit<CapturedFrame, 'missed' | 'picture'> & { readonly picture: PictureFile };

/** What runs, in words. */
const MODES: Readonly<Record<Skip, string>> = {
  nokey: 'keyframes',
  noref: 'all but B-frames',
  none: 'all',
};

/** A stream of which nothing has been learned in so long will not tell; the second if it shows pictures meanwhile. */
const LEARNING_MS = 12_000;
const LEARNING_AND_SHOWING_MS = 22_000;
/** A new connection is opened this long before the next picture is due. */
const RECONNECT_LEAD_MS = 500;

/** Ends by abort, or throws when the stream ends, stalls or cannot be opened. */
export async function* captureFrames(capture: Capture, signal: AbortSignal): AsyncGenerator<CapturedFrame, void, void> {
  const { stream: { options: { capture_mode } }, folder, realTime } = capture;
  // A file cannot be opened anew with what was learned: it would begin from its beginning.
  let way: Way = { skip: capture_mode === 'all' || (capture_mode === 'auto' && realTime) ? 'none' : 'nokey', packets: true };
  for (;;) {
    const box = createLatest<Delivered>();
    const life = linked(signal);
    const ended = connection(capture, way, box, life);
    let better: Way | null = null;
    try {
      for (let taken = await box.take(); taken; taken = await box.take()) yield { ...taken.value, missed: taken.missed };
    } finally {
      life.abort();
      // Whoever goes on may trust that the connection is gone: cameras count them.
      better = await ended;
      // Not before whoever took the last one is done with it.
      await removePictures(folder);
    }
    if (signal.aborted || !better) return;
    way = better;
  }
}

/** One ffmpeg from start to end. Resolves with a better way when it ended to be started anew with it. */
async function connection(
  { stream, settings, folder, realTime }: Capture, { skip, packets: toldPackets }: Way, box: Latest<Delivered>, life: Linked,
): Promise<Way | null> {
  const { interval_seconds, capture_mode, transport } = stream.options;
  // Only from key frames to something else, never back: a stream that varies must not be opened anew for ever.
  const learning = capture_mode === 'auto' && !realTime && skip === 'nokey';
  const learner = createLearner(interval_seconds);
  const clock = createPtsClock();
  const started = performance.now();
  const silence = createSilence({ skip, chosen: capture_mode === 'keyframes', intervalSeconds: interval_seconds }, started);
  const continuity = createContinuity(!realTime);
  let connected = false as boolean;
  let lastPictureMs: number | null = null;
  let packets = 0;
  let better = null as Skip | null;
  let reason = null as LookoutError | null;
  let held: { facts: Decoded; picture: PictureFile } | null = null;

  function end(why: LookoutError): void {
    reason ??= why;
    life.abort();
  }

  function learn(): void {
    const verdict = learner.verdict();
    if (better === null && verdict && verdict !== skip) better = verdict;
    if (held && learner.inOrder()) {
      deliver(held.facts, held.picture);
      held = null;
    }
    if (better === null) return;
    // The next connection's first picture should be the one that is due next.
    const due = lastPictureMs === null ? 0 : lastPictureMs + interval_seconds * 1000 - RECONNECT_LEAD_MS;
    if (performance.now() >= due) life.abort();
  }

  function deliver({ ptsSeconds, width, height }: Decoded, picture: PictureFile): void {
    lastPictureMs = performance.now();
    const captured_at = new Date(Date.now() - clock.ageMs(ptsSeconds, lastPictureMs)).toISOString();
    const missed = box.put({ captured_at, width, height, picture, mode: MODES[skip] });
    if (missed) discard(missed.picture);
  }

  function discard({ file }: PictureFile): void {
    removeIfPresent(file).catch((error: unknown) => {
      box.fail(error);
      life.abort();
    });
  }

  function watch(): void {
    const now = performance.now();
    if (learning) {
      // Periodic intra refresh, whose key frames only look like some, or so few packets that their order cannot be told.
      const unclear = connected ? learner.verdict() === null : packets > 0;
      if (better === null && unclear && now - started > (connected ? LEARNING_AND_SHOWING_MS : LEARNING_MS)) better = 'none';
      if (better !== null) learn();
    }
    const silent = silence.tooLong(now, learner.keyFrameSpacing());
    if (silent) end(new LookoutError('stream_stalled', silent));
  }

  /**
   * Key frames set the clock by themselves, so packets are only needed to learn. A decoder that puts pictures into order
   * hands them out late; then the packets, which are not, set the clock.
   */
  function packetsNeeded(): CaptureOptions['packets'] {
    if (!toldPackets || realTime) return 'none';
    if (skip !== 'nokey') return 'all';
    return learning ? 'first' : 'none';
  }

  const options: CaptureOptions = {
    url: stream.url, transport, skip, intervalSeconds: interval_seconds, realTime,
    packets: packetsNeeded(),
    jpegQuality: settings.jpeg_quality, maxWidth: settings.max_width,
  };
  // A file may hold gaps, and cannot stall.
  const watchdog = realTime ? undefined : setInterval(watch, ROUND_MS);
  try {
    const complaints = await runCapture(options, folder, {
      onDecoded(decoded) {
        const now = performance.now();
        connected = true;
        const changed = continuity.decoded(decoded);
        if (changed) end(new LookoutError('stream_ended', `the stream ended: ${changed}`));
        silence.decoded(decoded.ptsSeconds, now);
        if (options.packets !== 'all') clock.arrived(decoded.ptsSeconds, now);
      },
      onPacket({ ptsSeconds, key }) {
        packets += 1;
        silence.packet();
        learner.packet(ptsSeconds, key);
        clock.arrived(ptsSeconds, performance.now());
        if (learning) learn();
      },
      onPicture(picture, facts) {
        silence.picked(performance.now());
        if (held) discard(held.picture);
        // Until it is known that pictures come in order, this one may be older than it looks.
        held = learning && !learner.inOrder() ? { facts, picture } : null;
        if (!held) deliver(facts, picture);
      },
    }, life.signal);
    // A camera that says nothing of its pictures beforehand, joined between two key frames: packets need their size.
    const blind = !life.signal.aborted && options.packets !== 'none' && complaints.includes('dimensions not set');
    if (!blind && !life.signal.aborted) throw complaintError(complaints, connected);
    if (reason) throw reason;
    box.close();
    if (blind) return { skip: 'none', packets: false };
  } catch (error) {
    box.fail(error);
  } finally {
    clearInterval(watchdog);
  }
  return better === null ? null : { skip: better, packets: true };
}
