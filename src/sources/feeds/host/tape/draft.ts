/** Copies what a camera sends into a file as it comes, from some seconds before on, for as long as somebody may want it. */
import { open, type FileHandle } from 'node:fs/promises';
import { errorInfo } from '../../../../errors.ts';
import { headOf } from '../../native/head.ts';
import type { Track } from '../../native/mp4.ts';
import type { RecordOrder } from '../../messages.ts';
import { createBeginning } from './beginning.ts';
import { PATIENCE_MS } from './clip.ts';
import { createCopying } from './copying.ts';
import { createFragments, type Fragments } from './fragments.ts';
import { lackOf, nothingCame, piecesSince, type Held } from './held.ts';
import type { NativeSteps } from './native-steps.ts';
import type { Piece } from './piece.ts';
import type { VideoCodec } from './track.ts';

export interface Draft {
  add(piece: Piece): void;
  /** What has come is all that there will be. */
  end(why: string | null): void;
  /** Rejects where nothing came. */
  readonly begun: Promise<DraftBegun>;
  /** Why it ended by itself; null: it was ended, or is as long as was wanted. */
  readonly ended: Promise<string | null>;
}

export interface DraftBegun {
  readonly track: Track;
  /** When its first picture was taken, as `machineMs` has it. */
  readonly begunMs: number;
  /** Why it begins later than was wanted; null: it does not. */
  readonly reason: string | null;
}

/** A fragment for each picture, written as it comes: whatever ends it, all pictures but the last can be played. */
export function createDraft(codec: VideoCodec, { file, before_seconds, longest_seconds }: RecordOrder, held: Held, { mark, run }: NativeSteps): Draft {
  let handle: FileHandle | null = null;
  let fragments: Fragments | null = null;
  const beginning = createBeginning(held);
  let why: string | null = null;
  let begin: (track: Track) => void = () => undefined;
  const opened = new Promise<Track>((resolve) => { begin = resolve; });
  const copying = createCopying(codec, {
    async open(track) {
      fragments = createFragments(track);
      handle = await open(file, 'wx');
      await handle.appendFile(await run(() => headOf(track, mark)));
      begin(track);
    },
    async write(bytes, pts, key) {
      const fragment = fragments?.write(bytes, pts, key);
      if (fragment) await handle?.appendFile(fragment.bytes);
    },
    complete: () => Promise.resolve(),
    close: async () => handle?.close(),
  }, ({ ptsSeconds }) => ptsSeconds > beginning.seconds() + longest_seconds);
  const patience = setTimeout(() => { if (beginning.seconds() === Infinity) end('the camera sent none in time'); }, PATIENCE_MS);
  const done = copying.ended.finally(() => { clearTimeout(patience); });

  function add(piece: Piece): void {
    if (copying.add(piece)) beginning.came(piece.ptsSeconds);
  }

  function end(reason: string | null): void {
    why ??= reason;
    copying.end();
  }

  async function begun(): Promise<DraftBegun> {
    const track = await Promise.race([opened, done.then(({ track: copied }) => copied)]);
    if (!track) throw nothingCame(why, held);
    return { track, begunMs: beginning.takenMs(), reason: lackOf(held, before_seconds, beginning.seconds()) };
  }

  for (const piece of piecesSince(held, before_seconds)) add(piece);
  return { add, end, begun: begun(), ended: done.then(({ reason }) => reason ?? why, (error: unknown) => errorInfo(error).message) };
}
