/** The picture that goes with a message: an item's own, with what was seen drawn in, and with a test a camera's. */
import { errorInfo } from '../../errors.ts';
import { readIfPresent } from '../../lib/files.ts';
import { linked } from '../../lib/linked.ts';
import type { FollowerContext, Item } from '../../types.ts';

/** JPEG. */
export interface Pictures {
  /** As it was captured. null: there is none, not any more, or one that is too large. */
  of(item: Item): Promise<Uint8Array | null>;
  /** With the box of what was seen; as it was captured where it cannot be drawn. Throws when the signal aborts. */
  withBox(item: Item, captured: Uint8Array, signal: AbortSignal): Promise<Uint8Array>;
  /** Of any camera. null: none has one. */
  newest(): Promise<Uint8Array | null>;
}

/** Chats take 10 MB; a template that has the picture as base64 is to end in time on a small machine too. */
const MOST_BYTES = 5_000_000;
/** An alert does not wait for its box. */
const LONGEST_MS = 10_000;

export function createPictures(isWanted: boolean, { name, picture, lookout, log }: Pick<FollowerContext<unknown>, 'name' | 'picture' | 'lookout' | 'log'>): Pictures {
  const told = new Set<string>();

  function warnOnce(message: string, facts: object): void {
    if (told.has(message)) return;
    told.add(message);
    log.warn(message, { follower: name, ...facts });
  }

  /** What keeps a picture away does not keep what it shows. */
  async function unlessTooLarge(read: () => Promise<Uint8Array | null>, facts: object): Promise<Uint8Array | null> {
    if (!isWanted) return null;
    let reason: string;
    try {
      const jpeg = await read();
      if (jpeg === null || jpeg.length <= MOST_BYTES) return jpeg;
      reason = `it has ${jpeg.length} bytes, and ${MOST_BYTES} are the most`;
    } catch (error) {
      reason = errorInfo(error).message;
    }
    warnOnce('a picture is not sent; what it shows is', { ...facts, reason });
    return null;
  }

  return {
    of: (item) => unlessTooLarge(() => picture(item), { item: item.id }),
    async withBox({ log: kind, id, value }, captured, signal) {
      if (kind !== 'events' || typeof value['id'] !== 'string') return captured;
      const link = linked(signal, AbortSignal.timeout(LONGEST_MS));
      try {
        const drawn = await lookout.eventDrawing(value['id'], link.signal);
        return drawn === null || drawn.length > MOST_BYTES ? captured : drawn;
      } catch (error) {
        signal.throwIfAborted();
        warnOnce('a picture is sent without its box', { item: id, reason: errorInfo(error).message });
        return captured;
      } finally {
        link.release();
      }
    },
    newest() {
      const shown = lookout.streams().flatMap(({ camera_id }) => lookout.latest(String(camera_id)) ?? []);
      const [newest] = shown.sort((a, b) => (a.captured_at < b.captured_at ? 1 : -1));
      return unlessTooLarge(() => (newest ? readIfPresent(newest.file) : Promise.resolve(null)), {});
    },
  };
}
