/** What a container must be told of the pictures that are to come, as the first of them show it. */
import { SET_AHEAD_SECONDS, SET_BACK_SECONDS } from '../../../ffmpeg/learner.ts';
import { reorderingOf } from '../../native/decode-times.ts';
import { TICKS_PER_SECOND, type Track } from '../../native/mp4.ts';
import { sizesOf } from '../../native/sizes.ts';
import type { Piece } from './piece.ts';

export type VideoCodec = Track['codec'];

/** So many show the order in which a camera sends, and for so long it is waited for them. */
const ENOUGH_PIECES = 17;
const ENOUGH_SECONDS = 1;

export const ticksOf = (ptsSeconds: number): number => Math.round(ptsSeconds * TICKS_PER_SECOND);

export function isEnough(pieces: readonly Piece[]): boolean {
  const [first, last] = [pieces[0], pieces.at(-1)];
  return pieces.length >= ENOUGH_PIECES || (first !== undefined && last !== undefined && last.ptsSeconds - first.ptsSeconds >= ENOUGH_SECONDS);
}

/** null: its pictures do not say how large they are. */
export function trackOf(codec: VideoCodec, pieces: readonly Piece[]): Track | null {
  const parameterSets = pieces[0]?.parameterSets ?? Buffer.alloc(0);
  const size = sizesOf(codec, parameterSets)?.shown;
  if (!size) return null;
  const pts = pieces.slice(0, 10 * ENOUGH_PIECES).map(({ ptsSeconds }) => ticksOf(ptsSeconds));
  return { codec, parameterSets, ...size, reordering: reorderingOf(pts), spacing: spacingOf(pts) };
}

/** The usual one: cameras leave pictures out. */
function spacingOf(pts: readonly number[]): number {
  const sorted = [...pts].sort((a, b) => a - b);
  const steps = sorted.slice(1).map((time, at) => time - (sorted[at] ?? time)).filter((step) => step > 0).sort((a, b) => a - b);
  return steps[Math.floor(steps.length / 2)] ?? TICKS_PER_SECOND;
}

/** Whether the camera's clock was set in between: their times are no distance. */
export function isSetBetween(last: Piece, next: Piece): boolean {
  const step = next.ptsSeconds - last.ptsSeconds;
  return next.era !== last.era || step > SET_AHEAD_SECONDS || step < -SET_BACK_SECONDS;
}

/** Why `next` cannot stand in one file behind `last`; null: it can. */
export function breakBetween(last: Piece, next: Piece): string | null {
  if (isSetBetween(last, next)) return 'the camera\'s clock was set';
  return next.key && !next.parameterSets.equals(last.parameterSets) ? 'the camera\'s pictures became other ones' : null;
}
