/** What a camera sends, as it came: its last seconds are held while somebody may need them, and copied for viewers and into clips. */
import { errorInfo, LookoutError } from '../../../../errors.ts';
import { SET_BACK_SECONDS } from '../../../ffmpeg/learner.ts';
import type { Codec, Unit } from '../../../rtp/unit.ts';
import type { ClipMade, ClipOrder, RecordBegun, RecordOrder } from '../../messages.ts';
import type { VideoPart } from '../../video-pipe.ts';
import { createRecording } from './clip.ts';
import type { Copying } from './copying.ts';
import { createDraft, type Draft } from './draft.ts';
import type { Held } from './held.ts';
import { createLive } from './live.ts';
import { createNativeSteps, type TakeMark } from './native-steps.ts';
import { pieceOf } from './piece.ts';
import type { Rings } from './ring.ts';
import type { VideoCodec } from './track.ts';

export const LOST = { code: 'stream_ended', message: 'the camera was lost' } as const;
const NO_VIDEO = { code: 'no_live_video', message: 'the camera sends a JPEG for each picture, and no video that could be copied; stream.mjpeg shows its pictures' } as const;

/** What is known of a camera once it plays. */
export interface Reel {
  readonly codec: Codec;
  readonly parameterSets: () => Buffer;
  /** Milliseconds since the picture of this time was taken. */
  readonly ageMs: (ptsSeconds: number) => number;
  /** Another one since its clock was set. */
  readonly era: () => number;
}

export interface Tape {
  begin(reel: Reel): void;
  /** One that lacks nothing. */
  unit(unit: Unit): void;
  /** Of the seconds before a clip; null: they are not kept. */
  keep(seconds: number | null): void;
  /** Who is sent its video from now on, in place of who was; null: nobody. */
  watch(send: Send | null): void;
  /** Throws `no_live_video`, `stream_stalled`, `disk_full`, `disk_failed`. */
  clip(order: ClipOrder): Promise<ClipMade>;
  /** Likewise, or `begun` rejects with it. */
  record(order: RecordOrder): TapeRecording;
  /** The camera sends no more. Resolves when nothing is being copied. */
  end(): Promise<void>;
}

export interface TapeRecording extends Pick<Draft, 'end' | 'ended'> {
  readonly begun: Promise<RecordBegun>;
}

export interface TapeParts {
  /** As `keep` has it, until it says another. */
  readonly pre_roll_seconds: number | null;
  readonly rings: Rings;
  readonly takeMark: TakeMark;
}

type Send = (part: VideoPart) => void;

export function createTape({ pre_roll_seconds, rings, takeMark }: TapeParts): Tape {
  const ring = rings.create();
  let keptSeconds = pre_roll_seconds;
  let reel: Reel | null = null;
  let watching: Send | null = null;
  let live: Copying | null = null;
  const recordings = new Set<Pick<Draft, 'add' | 'end'>>();
  const underWay = new Set<Promise<unknown>>();
  let newestSeconds = NaN;
  let isEnded = false;

  // Those who come later want to see something at once.
  const hold = (): void => { ring.keep(keptSeconds ?? (watching ? 0 : null)); };
  hold();

  function follow(work: Promise<unknown>): void {
    const settled: Promise<void> = work.then(() => undefined, () => undefined).finally(() => { underWay.delete(settled); });
    underWay.add(settled);
  }

  function playLive(): void {
    const send = watching;
    if (!send || !reel) return;
    if (reel.codec === 'jpeg') {
      send({ is: 'end', why: NO_VIDEO });
      return;
    }
    const own = createLive(reel.codec, send, createNativeSteps(takeMark));
    live = own;
    const pieces = ring.pieces();
    // From the newest key frame on.
    for (const piece of pieces.slice(Math.max(0, pieces.findLastIndex(({ key }) => key)))) own.add(piece);
    follow(own.ended.then(({ reason }) => (reason === null ? LOST : { code: 'stream_ended' as const, message: reason }), errorInfo).then((why) => {
      if (live === own) live = null;
      if (watching === send) {
        watching = null;
        hold();
      }
      send({ is: 'end', why });
    }));
  }

  /** What can be copied now. */
  function ready(): { readonly codec: VideoCodec; readonly held: Held } {
    if (isEnded) throw new LookoutError(LOST.code, LOST.message);
    if (!reel || Number.isNaN(newestSeconds)) throw new LookoutError('stream_ended', 'nothing has come of the camera yet');
    const { codec, ageMs } = reel;
    if (codec === 'jpeg') throw new LookoutError(NO_VIDEO.code, NO_VIDEO.message);
    return { codec, held: { pieces: ring.pieces(), nowSeconds: newestSeconds, ageMs, reason: ring.reason ?? (keptSeconds === null ? 'the stream option clips is off' : null) } };
  }

  return {
    begin(now) {
      reel = now;
      playLive();
    },
    unit(unit) {
      // B-frames come behind later ones; a clock may be set.
      if (!(Math.abs(unit.ptsSeconds - newestSeconds) < SET_BACK_SECONDS && unit.ptsSeconds < newestSeconds)) newestSeconds = unit.ptsSeconds;
      if (!reel || reel.codec === 'jpeg' || (keptSeconds === null && !watching && recordings.size === 0)) return;
      const piece = pieceOf(unit, reel.parameterSets(), reel.era());
      ring.add(piece);
      live?.add(piece);
      for (const recording of recordings) recording.add(piece);
    },
    keep(seconds) {
      keptSeconds = seconds;
      hold();
    },
    watch(send) {
      watching = send;
      hold();
      live?.end();
      live = null;
      if (isEnded) send?.({ is: 'end', why: LOST });
      else playLive();
    },
    async clip(order) {
      const { codec, held } = ready();
      const recording = createRecording(codec, order, held, createNativeSteps(takeMark));
      recordings.add(recording);
      follow(recording.ended);
      try {
        const { track, begunMs, seconds, reason } = await recording.ended;
        return { begun_machine_ms: begunMs, seconds, codec, width: track?.width ?? 0, height: track?.height ?? 0, reason };
      } finally {
        recordings.delete(recording);
      }
    },
    record(order) {
      const { codec, held } = ready();
      const draft = createDraft(codec, order, held, createNativeSteps(takeMark));
      recordings.add(draft);
      follow(draft.ended.finally(() => { recordings.delete(draft); }));
      const begun = draft.begun.then(({ track: { width, height }, begunMs, reason }) => ({ begun_machine_ms: begunMs, codec, width, height, reason }));
      return { ...draft, begun };
    },
    async end() {
      isEnded = true;
      if (live) live.end();
      else watching?.({ is: 'end', why: LOST });
      for (const recording of recordings) recording.end(LOST.message);
      await Promise.all(underWay);
      rings.drop(ring);
    },
  };
}

