/** Pictures of one camera through one ffmpeg: learns which pictures to decode, stamps them, notices when they stop. */
import { LookoutError } from '../../errors.ts';
import { runCapture, type CaptureOptions } from '../../lib/ffmpeg.ts';
import { createLatest, type Latest } from '../../lib/latest.ts';
import type { CapturedFrame, StreamSpec } from '../../types.ts';
import { complaintError } from './complaint.ts';
import { createLearner, LONGEST_WAIT_SECONDS, type Skip } from './learner.ts';
import { createPtsClock } from './pts-clock.ts';

interface Announced {
  readonly index: number;
  readonly ptsSeconds: number;
  readonly width: number;
  readonly height: number;
}

export interface PictureSettings {
  readonly jpeg_quality: number;
  readonly max_width: number | null;
}

/** What runs, in words. */
const MODES: Readonly<Record<Skip, string>> = {
  nokey: 'keyframes',
  noref: 'all but B-frames',
  none: 'all',
};

/** Until the first picture: connecting, and waiting for a key frame. */
const FIRST_PICTURE_MS = 15_000;
/** Packets are told for this much longer than it takes to learn from them. */
const LEARNING_MARGIN_SECONDS = 2;
/** A new connection is opened this long before the next picture is due. */
const RECONNECT_LEAD_MS = 500;

/** Ends by abort, or throws when the stream ends, stalls or cannot be opened. */
export async function* captureFrames(
  stream: StreamSpec, settings: PictureSettings, realTime: boolean, signal: AbortSignal,
): AsyncGenerator<CapturedFrame, void, void> {
  const { capture_mode } = stream.options;
  // A file is played once and cannot be opened anew with what was learned.
  let skip: Skip = capture_mode === 'all' || (capture_mode === 'auto' && realTime) ? 'none' : 'nokey';
  for (;;) {
    const box = createLatest<Omit<CapturedFrame, 'missed'>>();
    const stop = new AbortController();
    const ended = connection(stream, settings, realTime, skip, box, AbortSignal.any([signal, stop.signal]));
    let better: Skip | null = null;
    try {
      for (let taken = await box.take(); taken; taken = await box.take()) yield { ...taken.value, missed: taken.missed };
    } finally {
      stop.abort();
      // Whoever goes on may trust that the connection is gone: cameras count them.
      better = await ended;
    }
    if (signal.aborted || !better) return;
    skip = better;
  }
}

/** One ffmpeg from start to end. Resolves with a better choice of pictures when it ended to be started anew with it. */
async function connection(
  stream: StreamSpec, settings: PictureSettings, realTime: boolean, skip: Skip,
  box: Latest<Omit<CapturedFrame, 'missed'>>, signal: AbortSignal,
): Promise<Skip | null> {
  const { interval_seconds, capture_mode, transport } = stream.options;
  // Only from key frames to something else, never back: a stream that varies must not be opened anew for ever.
  const learning = capture_mode === 'auto' && !realTime && skip === 'nokey';
  const learner = createLearner(interval_seconds);
  const clock = createPtsClock();
  const stop = new AbortController();
  const started = Date.now();
  // ffmpeg announces a picture on one pipe and sends it on another. They are matched by number, because two of its
  // threads write to the first and may spoil each other's lines.
  const announced: Announced[] = [];
  const pictures: { readonly index: number; readonly jpeg: Buffer }[] = [];
  let received = 0;
  let lastDecodedMs: number | null = null;
  let lastPictureMs: number | null = null;
  let connected = false as boolean;
  let decodedSpacingMs = 0;
  let packets = 0;
  let better: Skip | null = null;
  let held: { facts: Announced; jpeg: Buffer } | null = null;

  function learn(): void {
    const verdict = learner.verdict();
    if (better === null && verdict && verdict !== skip) better = verdict;
    if (held && learner.inOrder()) deliver(held.facts, held.jpeg);
    if (better === null) return;
    // The next connection's first picture should be the one that is due next.
    const due = lastPictureMs === null ? 0 : lastPictureMs + interval_seconds * 1000 - RECONNECT_LEAD_MS;
    if (Date.now() >= due) stop.abort();
  }

  function match(): void {
    for (;;) {
      const [facts, picture] = [announced[0], pictures[0]];
      if (!facts || !picture) return;
      if (facts.index <= picture.index) announced.shift();
      if (picture.index <= facts.index) pictures.shift();
      if (facts.index !== picture.index) continue;
      const { jpeg } = picture;
      // Until it is known that pictures come in order, this one may be older than it looks.
      if (learning && !learner.inOrder()) held = { facts, jpeg };
      else deliver(facts, jpeg);
    }
  }

  function deliver({ ptsSeconds, width, height }: Announced, jpeg: Buffer): void {
    held = null;
    lastPictureMs = Date.now();
    const captured_at = new Date(clock.wallMs(ptsSeconds, lastPictureMs)).toISOString();
    box.put({ captured_at, width, height, picture: { jpeg }, mode: MODES[skip] });
  }

  function watch(): void {
    const now = Date.now();
    if (learning) {
      // Periodic intra refresh, whose key frames only look like some, or so few packets that their order cannot be told.
      const unclear = lastDecodedMs === null || learner.verdict() === null;
      if (better === null && unclear && packets > 0 && now - started > (LONGEST_WAIT_SECONDS + LEARNING_MARGIN_SECONDS) * 1000) better = 'none';
      if (better !== null) learn();
    }
    const spacingMs = Math.max(decodedSpacingMs, (learner.keyFrameSpacing() ?? 0) * 1000);
    // One key frame alone does not say when the next is due.
    const starting = lastDecodedMs === null || (skip === 'nokey' && spacingMs === 0);
    const expectedMs = skip === 'nokey' ? spacingMs : Math.min(interval_seconds * 1000, spacingMs);
    const patienceMs = starting ? FIRST_PICTURE_MS : Math.max(5000, 3 * expectedMs);
    const silentMs = now - (lastDecodedMs ?? started);
    if (silentMs > patienceMs && !stop.signal.aborted) {
      const what = lastDecodedMs === null ? 'no picture came' : 'the pictures stopped';
      stop.abort(new LookoutError('stream_stalled', `${what}: nothing for ${(silentMs / 1000).toFixed(0)} s`));
    }
  }

  /**
   * Key frames set the clock by themselves, so packets are only needed to learn. A decoder that puts pictures into order
   * hands them out late; then the packets, which are not, set the clock.
   */
  function packetSeconds(): number {
    if (skip !== 'nokey' && !realTime) return Infinity;
    return learning ? Math.min(LONGEST_WAIT_SECONDS, interval_seconds) + LEARNING_MARGIN_SECONDS : 0;
  }

  const options: CaptureOptions = {
    url: stream.url, transport, skip, intervalSeconds: interval_seconds, realTime,
    packetSeconds: packetSeconds(),
    jpegQuality: settings.jpeg_quality, maxWidth: settings.max_width,
  };
  const watchdog = setInterval(watch, 1000);
  try {
    const complaints = await runCapture(options, {
      onLine(line) {
        if (line.kind === 'complaint') return;
        const now = Date.now();
        if (line.kind === 'packet') {
          packets += 1;
          learner.packet(line.ptsSeconds, line.key);
          clock.arrived(line.ptsSeconds, now);
          if (learning) learn();
        } else if (line.kind === 'decoded') {
          if (lastDecodedMs !== null) decodedSpacingMs = now - lastDecodedMs;
          lastDecodedMs = now;
          connected = true;
          clock.arrived(line.ptsSeconds, now);
        } else {
          announced.push(line);
          match();
        }
      },
      onPicture(jpeg) {
        pictures.push({ index: received, jpeg });
        received += 1;
        match();
      },
    }, AbortSignal.any([signal, stop.signal]));
    if (!signal.aborted && !stop.signal.aborted) throw complaintError(complaints, connected);
    if (stop.signal.reason instanceof LookoutError) throw stop.signal.reason;
    box.close();
  } catch (error) {
    box.fail(error);
  } finally {
    clearInterval(watchdog);
  }
  return better;
}
