/** Looks at a camera for some seconds: what it sends, which pictures would be decoded, what one costs. */
import { LookoutError } from '../../../errors.ts';
import { linked } from '../../../lib/linked.ts';
import type { Unit } from '../../rtp/unit.ts';
import { play, type Playing } from '../../rtsp/client.ts';
import { sizesOf } from '../native/sizes.ts';
import type { Still } from '../native/jpeg.ts';
import { decodeStill } from '../native/still.ts';
import type { FeedRequest, Probed } from '../messages.ts';
import type { Surroundings } from './surroundings.ts';
import { createChooser } from './chooser.ts';
import { kept, type Kept } from './group.ts';

/** Enough for rates, for sender reports, and for the third key frame where these are not rare. */
const LEAST_MS = 4000;
const MOST_MS = 10_000;
/** From the beginning: whoever asked waits no longer than 15 s, and what came late is told as far as it came. */
const LATEST_MS = 12_500;
const ENOUGH_KEY_FRAMES = 3;
const LOOK_MS = 100;

/** Throws as feeds do, and `stream_stalled` where nothing comes. */
export async function probe(request: FeedRequest, { turn }: Pick<Surroundings, 'turn'>, signal: AbortSignal): Promise<Probed> {
  const { url, tls, video_track, interval_seconds, bounds } = request;
  const life = linked(signal);
  const chooser = createChooser(interval_seconds);
  const begunMs = performance.now();
  let playing = null as Playing | null;
  let firstMs = NaN;
  let [units, bytes, damaged, keys] = [0, 0, 0, 0];
  let [least, most] = [Infinity, -Infinity];
  let hasDroppable = false as boolean;
  let isReordered = false as boolean;
  let newestKey = null as Kept | null;

  function onUnit(unit: Unit): void {
    const now = performance.now();
    if (units === 0) firstMs = now;
    units += 1;
    bytes += unit.bytes;
    isReordered ||= unit.ptsSeconds < most;
    [least, most] = [Math.min(least, unit.ptsSeconds), Math.max(most, unit.ptsSeconds)];
    hasDroppable ||= !unit.reference;
    if (unit.damaged) {
      damaged += 1;
      return;
    }
    chooser.unit(unit.ptsSeconds, unit.key, now);
    if (!unit.key) return;
    keys += 1;
    newestKey = kept(unit, () => playing?.parameterSets() ?? Buffer.alloc(0));
  }

  const isEnough = (): boolean => {
    const now = performance.now();
    const ms = now - firstMs;
    return ms >= MOST_MS || (units > 0 && now - begunMs >= LATEST_MS) || (ms >= LEAST_MS && (keys >= ENOUGH_KEY_FRAMES || playing?.codec === 'jpeg'));
  };
  const timer = setInterval(() => { if (isEnough()) life.abort(); }, LOOK_MS);
  try {
    playing = await play({ url, tls, videoTrack: video_track }, bounds, onUnit, life.signal);
    const { codec } = playing;
    await playing.ended;
    signal.throwIfAborted();
    if (units === 0) throw new LookoutError('stream_stalled', 'the camera sent no pictures');
    const key = newestKey;
    const picture = key && await decoded(key, codec);
    const seconds = Math.max(most - least, 0.001);
    const isKeyed = codec === 'jpeg' || (picture !== null && chooser.verdict() !== 'all');
    return {
      codec, ...(key && sizesOf(codec, key.bytes)?.shown) ?? { width: null, height: null },
      frames_per_second: (units - 1) / seconds, bits_per_second: 8 * bytes / seconds, damaged,
      key_frame_seconds: codec === 'jpeg' ? null : chooser.keyFrameSpacing(),
      b_frames: isReordered, clock_offset_seconds: playing.clockOffsetSeconds(),
      capture_mode: isKeyed ? 'keyframes' : hasDroppable ? 'all but B-frames' : 'all',
      first_picture_seconds: (firstMs - begunMs) / 1000, picture_ms: picture?.ms ?? null, picture: picture?.jpeg.toString('base64') ?? null,
    };
  } finally {
    clearInterval(timer);
    life.abort();
  }

  /** Twice: what the first costs is more than any later one. null: it cannot be made out of it alone. */
  async function decoded(key: Kept, codec: Playing['codec']): Promise<{ readonly jpeg: Buffer; readonly ms: number } | null> {
    const { mark, rest } = await turn(signal);
    try {
      const make = (): Promise<Still | null> => decodeStill(codec, key.bytes, { quality: request.jpeg_quality, maxWidth: request.max_width }, mark);
      if (await make() === null) return null;
      const begun = performance.now();
      const still = await make();
      return still && { jpeg: still.jpeg, ms: performance.now() - begun };
    } finally {
      rest();
    }
  }
}
