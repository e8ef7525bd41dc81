/** Which episodes go on, and what the log of events is told of them. */
import type { EventItem, Frame } from '../types.ts';
import { linesOf, type Camera } from './camera.ts';
import { endedEntryOf, entryOf } from './entry.ts';
import { endingOf, type Ending, type Episode } from './episode.ts';
import type { Moment, Told } from './seen.ts';
import { itemName, nameOf, type ItemName } from './state.ts';
import { watermark } from './watermark.ts';

export interface Book {
  /** What `work` says. */
  told(work: () => void): Told;
  /** The last item that was said. */
  last: ItemName | null;
  /** When it has to be told the time, at the latest. */
  due: number | null;
  wake(at: number): void;
  say(item: EventItem): void;
  /** The frame shows the event best. */
  show(event: string, frame: Frame): void;
  tell(episode: Episode, state: 'begun' | 'going_on', moment: Moment): void;
  /** What has changed, unless it was told of just now. */
  tellChanges(episode: Episode, moment: Moment): void;
  open(camera: Camera, episode: Episode): void;
  end(camera: Camera, episode: Episode, ending: Ending, moment: Moment): void;
  /** Ends what has ended, of a section or of all (null). */
  settle(camera: Camera, section: string | null, moment: Moment): void;
  interrupt(camera: Camera, which: (episode: Episode) => boolean, moment: Moment): void;
}

const TOLD_EVERY_MS = 10_000;
/** What is held back because a model is behind is looked at again after. */
const HELD_MS = 1000;

export function createBook(): Book {
  let items: EventItem[] = [];
  let best: Told['best'][number][] = [];

  const book: Book = {
    last: null,
    due: null,
    told(work) {
      items = [];
      best = [];
      work();
      return { items, best };
    },
    wake(at) {
      book.due = book.due === null ? at : Math.min(book.due, at);
    },
    say(item) {
      items.push(item);
      book.last = itemName(item);
    },
    show(event, frame) {
      best.push({ event, frame });
    },
    tell(episode, state, moment) {
      book.say(entryOf(episode, state, moment));
      episode.sequence += 1;
      episode.told = moment.monotonic;
      episode.changed = false;
    },
    tellChanges(episode, moment) {
      if (!episode.changed) return;
      if (moment.monotonic - episode.told >= TOLD_EVERY_MS) book.tell(episode, 'going_on', moment);
      else book.wake(episode.told + TOLD_EVERY_MS);
    },
    open(camera, episode) {
      const name = nameOf(episode.rule, episode.section, episode.class);
      camera.open.set(name, [...(camera.open.get(name) ?? []), episode]);
      camera.size += 1;
      book.wake(episode.heard + episode.limits.silence);
    },
    end(camera, episode, ending, moment) {
      const name = nameOf(episode.rule, episode.section, episode.class);
      const others = (camera.open.get(name) ?? []).filter((other) => other !== episode);
      if (others.length > 0) camera.open.set(name, others);
      else camera.open.delete(name);
      camera.size -= 1;
      // What was captured until somebody stopped it may still be looked at.
      const until = ending.by === 'interrupted' ? Math.max(ending.time, moment.now + episode.shift) : ending.time;
      camera.covered.add(name, episode.began - episode.limits.quiet, until, moment.monotonic);
      book.say(endedEntryOf(episode, ending, moment));
    },
    settle(camera, section, moment) {
      if (camera.size === 0) return;
      for (const episode of [...camera.open.values()].flat()) {
        if (section !== null && episode.section !== section) continue;
        const mark = watermark(linesOf(camera), episode.section, episode.began - episode.limits.gap, moment.monotonic);
        const ending = endingOf(episode, mark, moment.monotonic);
        if (ending === 'held') book.wake(moment.monotonic + HELD_MS);
        else if (ending) book.end(camera, episode, ending, moment);
      }
    },
    interrupt(camera, which, moment) {
      for (const episode of [...camera.open.values()].flat().filter(which)) book.end(camera, episode, { by: 'interrupted', time: episode.last_look }, moment);
    },
  };
  return book;
}
