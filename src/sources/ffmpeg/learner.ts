/**
 * Learns from a stream's packets which pictures the decoder may leave out. Passive: told what came, asked for a verdict.
 *
 * Key frames alone cost a ninth of full decoding, but a decoder that skips everything else hands out each picture
 * reorder depth x key-frame spacing late when there are B-frames. Packets arrive in decoding order, so B-frames show as
 * presentation times that go back.
 */

/**
 * `noref` leaves out the B-frames that no other picture is made from. Leaving out all of them (`bidir`) would damage the
 * pictures of encoders that build B-frames on B-frames, as x264 does unless told otherwise.
 */
export type Skip = 'nokey' | 'noref' | 'none';

export interface Learner {
  /** Each but the very first of the stream. */
  packet(ptsSeconds: number, key: boolean): void;
  /** A picture left a decoder that leaves out everything but key frames. */
  decoded(): void;
  /** What to leave out; null: not known yet. */
  verdict(nowMs: number): Skip | null;
  /** True once enough packets came in order to say that pictures are fresh with key frames alone. */
  inOrder(): boolean;
  /** Seconds between key frames; null: fewer than two seen. */
  keyFrameSpacing(): number | null;
}

/** Packets at the start whose times ffmpeg may still be guessing. */
const UNSETTLED_PACKETS = 8;
const ENOUGH_PACKETS = 20;
const ENOUGH_SECONDS = 1;
/** Without a second key frame for this long they are rare, or missing as with periodic intra refresh. */
export const LONGEST_WAIT_SECONDS = 10;
/** A stream that sent packets for so long and showed nothing has no key frames, though some of them may look like some. */
const LONGEST_BLIND_MS = 12_000;
/** A stream that has not told by then varies too much. */
const LONGEST_LEARNING_MS = 22_000;
/**
 * Cameras with so few pictures cost little to decode entirely. Their packets, which are then told for ever, say when
 * each came; a decoder hands out each when the next one comes, which is late.
 */
const FEW_PER_SECOND = 2.5;
const FEW_AFTER_SECONDS = 4;

/** By so much a packet's time differs from the one before where the camera's clock was set: ahead, and back. */
export const SET_AHEAD_SECONDS = 60;
export const SET_BACK_SECONDS = 1;

/** Key frames that are rarer than pictures are due by no more than this cost few pictures. */
export const TOLERANCE = 1.05;

export function createLearner(intervalSeconds: number, startMs: number): Learner {
  let shown = false;
  let packets = 0;
  let second = NaN;
  let first = NaN;
  let newest = -Infinity;
  let stepsBack = 0;
  let lastKey: number | null = null;
  let spacing: number | null = null;

  const seen = (): number => newest - first;
  const inOrder = (): boolean => stepsBack === 0 && (packets >= ENOUGH_PACKETS || seen() >= ENOUGH_SECONDS);
  return {
    packet(pts, key) {
      packets += 1;
      if (packets === 1) {
        second = pts;
        // The first, which was just before it, was a key frame where it was decoded by itself.
        if (shown) lastKey = pts;
      }
      const step = pts - newest;
      if (packets > UNSETTLED_PACKETS && (step > SET_AHEAD_SECONDS || step < -SET_BACK_SECONDS)) {
        second = pts;
        first = pts;
        newest = pts;
        lastKey = null;
      }
      if (packets <= UNSETTLED_PACKETS) {
        first = pts;
        newest = pts;
      }
      if (pts < newest - 0.001) stepsBack += 1;
      newest = Math.max(newest, pts);
      if (key) {
        if (lastKey !== null) spacing = Math.max(spacing ?? 0, pts - lastKey);
        lastKey = pts;
      }
    },
    decoded() {
      shown = true;
    },
    verdict(now) {
      if (stepsBack >= 2) return 'noref';
      const waitedMs = now - startMs;
      const span = newest - second;
      if (span > FEW_AFTER_SECONDS && packets < FEW_PER_SECOND * span) return 'none';
      if (!shown && packets > 0 && waitedMs > LONGEST_BLIND_MS) return 'none';
      const longestUseful = Math.min(intervalSeconds, LONGEST_WAIT_SECONDS);
      if (spacing !== null && inOrder()) return spacing <= longestUseful * TOLERANCE ? 'nokey' : 'none';
      const tooRare = newest - (lastKey ?? first) > longestUseful + 0.5;
      return tooRare || (shown && waitedMs > LONGEST_LEARNING_MS) ? 'none' : null;
    },
    inOrder,
    keyFrameSpacing: () => spacing,
  };
}
