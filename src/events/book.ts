/** Which episodes go on, and what the log of events is told of them. */
import type { EventItem, Frame } from '../types.ts';
import { episodesOf, linesOf, scopeOf, type Camera } from './camera.ts';
import { endedEntryOf, entryOf } from './entry.ts';
import { endingOf, mayEnd, type Ending, type Episode } from './episode.ts';
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
  /** The frame is the best of the episode. */
  show(episode: Episode, frame: Frame): void;
  /** `alertsNow`: it alerts, and nobody was told so before. */
  tell(episode: Episode, state: 'begun' | 'going_on', moment: Moment, alertsNow?: boolean): void;
  /** What has changed, unless it was told of just now. */
  tellChanges(episode: Episode, moment: Moment): void;
  open(camera: Camera, episode: Episode): void;
  end(camera: Camera, episode: Episode, ending: Ending, moment: Moment): void;
  /** Ends what has ended. `look`: only by it, which says something of its section; null: by what may be, and all of it. */
  settle(camera: Camera, look: { readonly section: string; readonly time: number } | null, moment: Moment): void;
  interrupt(camera: Camera, which: (episode: Episode) => boolean, moment: Moment): void;
}

const TOLD_EVERY_MS = 10_000;
/** Wakes of many episodes are one. */
const WAKE_EVERY_MS = 1000;
/** What is held back because looks are behind is looked at again after. */
const HELD_MS = 1000;

/** `isLeft`: some of what an earlier run captured of the camera is still to be looked at. */
export function createBook(isLeft: (camera: string) => boolean): Book {
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
      const next = Math.ceil(at / WAKE_EVERY_MS) * WAKE_EVERY_MS;
      book.due = book.due === null ? next : Math.min(book.due, next);
    },
    say(item) {
      items.push(item);
      book.last = itemName(item);
    },
    show({ id, best: facts }, frame) {
      best.push({ event: id, frame, facts });
    },
    tell(episode, state, moment, alertsNow) {
      book.say(entryOf(episode, state, moment, alertsNow));
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
      const scope = scopeOf(episode.rule, episode.section);
      const classes = camera.open.get(scope) ?? new Map<string, readonly Episode[]>();
      camera.open.set(scope, classes);
      classes.set(episode.class, [...(classes.get(episode.class) ?? []), episode]);
      camera.size += 1;
      book.wake(episode.heard + episode.limits.silence);
    },
    end(camera, episode, ending, moment) {
      const scope = scopeOf(episode.rule, episode.section);
      const classes = camera.open.get(scope);
      const others = classes?.get(episode.class)?.filter((other) => other !== episode) ?? [];
      if (others.length > 0) classes?.set(episode.class, others);
      else classes?.delete(episode.class);
      if (classes?.size === 0) camera.open.delete(scope);
      camera.size -= 1;
      // What was captured until somebody stopped it may still be looked at.
      const until = ending.by === 'interrupted' ? Math.max(ending.time, moment.now + episode.shift) : ending.time;
      camera.covered.add(nameOf(episode.rule, episode.section, episode.class), episode.began - episode.limits.quiet, until, moment.monotonic);
      book.say(endedEntryOf(episode, ending, moment));
    },
    settle(camera, look, moment) {
      for (const episode of episodesOf(camera)) {
        if (look && (episode.section !== look.section || !mayEnd(episode, look.time, moment.monotonic))) continue;
        const mark = watermark(linesOf(camera), episode.section, episode.began - episode.limits.gap, moment.monotonic);
        const ending = endingOf(episode, mark, moment.monotonic);
        // Of what is still to be looked at it may be seen in: until then it is not known when it was seen last.
        if (ending === 'held' || (ending && isLeft(camera.id))) book.wake(moment.monotonic + HELD_MS);
        else if (ending) book.end(camera, episode, ending, moment);
      }
    },
    interrupt(camera, which, moment) {
      for (const episode of [...episodesOf(camera)].filter(which)) book.end(camera, episode, { by: 'interrupted', time: episode.last_look }, moment);
    },
  };
  return book;
}
