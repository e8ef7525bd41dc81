/** Copies some seconds before and after a moment into a file. */
import { openClip, type ClipWriter } from '../../native/clip.ts';
import type { ClipOrder } from '../../messages.ts';
import { createBeginning } from './beginning.ts';
import { createCopying, type Copied } from './copying.ts';
import { lackOf, nothingCame, piecesSince, type Held } from './held.ts';
import type { NativeSteps } from './native-steps.ts';
import type { Piece } from './piece.ts';
import type { VideoCodec } from './track.ts';

export interface Recording {
  add(piece: Piece): void;
  /** What has come is all that there will be. */
  end(why: string): void;
  /** Rejects where there is nothing to keep. */
  readonly ended: Promise<Recorded>;
}

export interface Recorded extends Copied {
  /** When its first picture was taken, as `machineMs` has it. */
  readonly begunMs: number;
}

/** A camera that sends nothing for so long, beyond what was asked for, has nothing more for it. */
export const PATIENCE_MS = 10_000;

export function createRecording(codec: VideoCodec, order: ClipOrder, held: Held, { mark, run }: NativeSteps): Recording {
  const { file, before_seconds, after_seconds } = order;
  const endSeconds = held.nowSeconds + after_seconds;
  let writer: ClipWriter | null = null;
  let why: string | null = null;
  const beginning = createBeginning(held);
  const copying = createCopying(codec, {
    async open(track) {
      writer = await run(() => openClip(file, track, mark));
    },
    async write(bytes, pts, key) {
      const own = writer;
      if (own) await run(() => own.write(bytes, pts, key));
    },
    async complete() {
      const own = writer;
      if (own) await run(() => own.end());
    },
    async close() {
      const own = writer;
      if (own) await run(() => own.close());
    },
  }, ({ ptsSeconds }) => ptsSeconds > endSeconds);

  function add(piece: Piece): void {
    if (copying.add(piece)) beginning.came(piece.ptsSeconds);
  }

  for (const piece of piecesSince(held, before_seconds)) add(piece);
  if (after_seconds === 0) copying.end();
  const timer = setTimeout(() => { end('the camera sent no more in time'); }, after_seconds * 1000 + PATIENCE_MS);

  function end(reason: string): void {
    why ??= reason;
    copying.end();
  }

  async function finish(): Promise<Recorded> {
    try {
      const copied = await copying.ended;
      if (!copied.track) throw nothingCame(why, held);
      const less = lackOf(held, before_seconds, beginning.seconds());
      return { ...copied, begunMs: beginning.takenMs(), reason: [less, copied.reason ?? why].filter((one) => one !== null).join('; ') || null };
    } finally {
      clearTimeout(timer);
    }
  }

  return { add, end, ended: finish() };
}
