/** Of events that go on, what their pictures show, as soon as these are kept. */
import { errorInfo } from '../errors.ts';
import type { Log } from '../lib/log.ts';
import type { EventEntry, Frame } from '../types.ts';
import type { Told } from './seen.ts';

type Best = EventEntry['best'];

export interface BestPictures {
  /** At once: the frame goes when its batch is recorded. */
  keep(best: Told['best'][number]): void;
  /** What the event's picture shows, once it is there; null: nothing was ever seen of the event. */
  shown(event: string): Promise<Best | null>;
  /** It has ended: its last entry says what its picture shows. */
  forget(event: string): void;
  /** Resolves when all that were to be kept are there, or never will be. */
  settled(): Promise<unknown>;
}

export interface BestPicturesParts {
  /** Answers its name, null: it could not be kept. */
  readonly keepPicture: (event: string, frame: Frame) => Promise<string | null>;
  /** As the event's newest entry has it. */
  readonly told: (event: string) => Best | null;
  readonly words: Log;
}

export function createBestPictures({ keepPicture, told, words }: BestPicturesParts): BestPictures {
  const pictures = new Map<string, Promise<Best | null>>();
  const keeping = new Set<Promise<unknown>>();

  async function shown(event: string): Promise<Best | null> {
    return await pictures.get(event) ?? told(event);
  }

  return {
    keep({ event, frame, facts }) {
      const before = shown(event);
      const now = keepPicture(event, frame).catch((error: unknown) => {
        words.repeated('warn', 'the picture of an event is not kept', null, { reason: errorInfo(error).message, event });
        return null;
      }).then((picture) => (picture === null ? before : { ...facts, picture }));
      pictures.set(event, now);
      keeping.add(now);
      void now.finally(() => { keeping.delete(now); });
    },
    shown,
    forget: (event) => { pictures.delete(event); },
    settled: () => Promise.all(keeping),
  };
}
