/** Events at work: what models see goes to the engine, and what that says into the log, with its picture, before anybody is told. */
import { errorInfo, LookoutError } from '../errors.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { AppendLog, Batch, EventClip, EventEntry, EventItem, EventQuery, EventRule, Frame, Look, ReviewedEvent, ReviewRequest, Silence, StreamRef } from '../types.ts';
import { createBestPictures } from './best-pictures.ts';
import { createCaptureOrder, type NamedBatch } from './capture-order.ts';
import { createEpisodes, type EpisodesParts } from './episodes.ts';
import { createIds } from './ids.ts';
import { createPlaces } from './places.ts';
import { createRecent } from './recent.ts';
import type { Moment, Seen, Told } from './seen.ts';
import { createStateFile } from './state-file.ts';
import { itemName, type EventState, type ItemName } from './state.ts';
import { createUnfinished } from './unfinished.ts';

export interface ChronicleParts extends Omit<EpisodesParts, 'log' | 'newId' | 'isLeft'> {
  readonly log: AppendLog<EventItem>;
  /** Of the engine's state beside the log. */
  readonly file: string;
  /** Asked before each of both is written: throws when they are somebody else's by now. */
  readonly expectOurs: () => Promise<void>;
  /** Keeps the picture that shows an event best, at once; answers its name, null: it could not be kept. */
  readonly keepPicture: (event: string, frame: Frame) => Promise<string | null>;
  /** Events of which what shows them is to be kept. */
  readonly kept: { readonly has: (event: string) => boolean; set(event: string, isKept: boolean): Promise<void> };
  /** Told of each entry. Resolves once the clip of an event that has ended is there, or never will be; null: none is being made. */
  readonly filmed: (entry: EventEntry) => Promise<void> | null;
  /** null: it has none, or not yet. */
  readonly clipOf: (event: string) => EventClip | null;
  readonly placeOf: (camera: string) => Promise<Seen['place']>;
  /** null: under the model's own name, and no complaint. */
  readonly sectionOf: (model: string, camera: string) => string | null;
  readonly clock: Clock;
  readonly words: Log;
}

export interface Chronicle {
  /** A frame of the camera is there, which models are to look at. */
  offered(camera: string): void;
  /** Of each stream and model in the order of capture. */
  looked(stream: StreamRef, frame: Frame, model: string, look: Look): void;
  /** A batch of an earlier run is to be looked at, before what is captured now. */
  left(batch: Batch): void;
  /** The batch is not looked at any more. */
  over(batch: NamedBatch): void;
  /** Resolves when what follows from the looks at the batch is in the log, with its pictures; where the log cannot be written, it waits no longer. */
  settled(batch: NamedBatch): Promise<void>;
  stopped(camera: string): void;
  removed(camera: string): void;
  /** Streams have begun: what is open of cameras that are not captured any more ends. */
  begun(isCapturing: (camera: string) => boolean): void;
  silence(camera: string, rule: string | null, until: number): void;
  silences(): readonly Silence[];
  setRules(rules: readonly EventRule[]): void;
  list(query: EventQuery): readonly ReviewedEvent[];
  get(id: string): ReviewedEvent | null;
  /** What the picture of the event shows, which may be newer than its last entry. */
  shown(id: string): Promise<EventEntry['best'] | null>;
  /** Resolves once it is in the log. Throws not_found, log_failed. */
  review(id: string, request: ReviewRequest): Promise<ReviewedEvent>;
  /** Items since the one of that id; null: it is not among the newest. */
  since(id: string): readonly EventItem[] | null;
  /** Told of each item once it is in the log. Answers how to hear no more. */
  onItem(listener: (item: EventItem) => void): () => void;
  /** Resolves when all that was said is in the log, and the state beside it; what a log that cannot be written did not take is given up. */
  close(): Promise<void>;
}

const AGAIN_MS = 1000;
/** Items of the log that are read at a start: the state says what stands before. */
const MOST_READ = 20_000;

export async function openChronicle(parts: ChronicleParts): Promise<Chronicle> {
  const { log, file, expectOurs, keepPicture, kept, filmed, clipOf, placeOf, sectionOf, clock, words, ...own } = parts;
  const ids = createIds(() => clock.now());
  const order = createCaptureOrder(clock);
  const engine = createEpisodes({ ...own, newId: ids.next, isLeft: order.isLeft, log: words });
  const recent = createRecent(kept.has);
  const listeners = new Set<(item: EventItem) => void>();
  const stop = new AbortController();
  const placeNow = createPlaces(placeOf, clock);
  const pictures = createBestPictures({ keepPicture, told: (event) => recent.get(event)?.best ?? null, words });
  const unfinished = createUnfinished();
  const state = createStateFile({ file, state: () => unfinished.in(engine.state(moment())), expectOurs, clock, words });
  /** On their way into the log, in order. */
  let said: EventItem[] = [];
  /** In the log. */
  let last: ItemName | null = null;
  let work: Promise<void> = Promise.resolve();
  let waiting = 0;
  /** The log cannot be written. */
  let isStuck = false;
  /** It could not be at the end either. */
  let isGivenUp = false;
  /** Those who wait until what was said is written. */
  const patient = new Set<() => void>();
  let cancelAlarm = (): void => undefined;

  const moment = (): Moment => ({ now: clock.now(), monotonic: clock.monotonic() });

  /** One after the other, and none is lost by the failure of another. */
  function then(what: () => Promise<void>): void {
    waiting += 1;
    work = work.then(what).catch((error: unknown) => {
      words.error('something of an event is lost', { reason: errorInfo(error).message });
    }).finally(() => {
      waiting -= 1;
      if (waiting === 0) alarm();
    });
  }

  /** Does it now, and has what follows from it written in order. */
  function engage(what: () => Told): void {
    try {
      const { items, best } = what();
      for (const one of best) pictures.keep(one);
      for (const item of items) say(item);
      if (items.length > 0 || best.length > 0) state.age();
    } catch (error) {
      words.error('a look makes no event', { reason: errorInfo(error).message });
    }
    alarm();
  }

  /** Its last entry waits for the clip that it names; nothing waits for that. */
  function say(item: EventItem): void {
    const clip = item.kind === 'event' ? filmed(item) : null;
    const go = (): void => {
      said.push(item);
      then(writeSaid);
    };
    if (item.kind === 'event' && clip) unfinished.hold(item, clip, go);
    else go();
  }

  /** All that was said meanwhile at once: more may begin, go on and end than can be written one by one. */
  async function writeSaid(): Promise<void> {
    const items = said;
    said = [];
    if (items.length === 0) return;
    for (const item of items) if (item.kind === 'event' && item.state === 'ended') unfinished.leaves(item.id);
    // It goes with these: of what is said while they are written it knows nothing.
    const taken = state.isDue ? state.take() : null;
    await write(items);
    if (taken) await writeState(taken);
  }

  async function write(items: readonly EventItem[]): Promise<void> {
    const whole = await Promise.all(items.map(finished));
    await append(whole);
    for (const item of whole) {
      last = itemName(item);
      recent.add(item);
      if (item.kind === 'event' && item.state === 'ended') pictures.forget(item.id);
      for (const listener of listeners) listener(item);
    }
  }

  async function finished(item: EventItem): Promise<EventItem> {
    if (item.kind !== 'event') return item;
    return { ...item, clip: clipOf(item.id), best: { ...item.best, picture: (await pictures.shown(item.id))?.picture ?? null } };
  }

  /** What is said again as it was makes no item. */
  async function review(id: string, request: ReviewRequest): Promise<ReviewedEvent> {
    const event = recent.get(id);
    if (!event) throw new LookoutError('not_found', `No event "${id}" among the newest.`);
    const { camera_id, rule, verdict, keep: isKept } = { ...event, ...request };
    if (isKept !== event.keep) await kept.set(id, isKept);
    if (isKept !== event.keep || verdict !== event.verdict) {
      await write([{ kind: 'review', id: ids.next(), event: id, at: new Date(clock.now()).toISOString(), camera_id, rule, verdict, keep: isKept }]);
    }
    return { ...event, verdict, keep: isKept };
  }

  /** Resolves when what was said is in the log, or that cannot be written. */
  async function written(): Promise<void> {
    if (isStuck) return;
    await new Promise<void>((resolve) => {
      patient.add(resolve);
      void work.then(() => {
        patient.delete(resolve);
        resolve();
      });
    });
  }

  /** The disk may be full: they wait, and so does what comes after. */
  async function append(items: readonly EventItem[]): Promise<void> {
    for (;;) {
      // What comes after would tell of what nobody knows.
      if (isGivenUp) throw new LookoutError('shutting_down', 'Lookout stopped before it could be written');
      try {
        await expectOurs();
        await log.append(items, new AbortController().signal);
        isStuck = false;
        return;
      } catch (error) {
        words.repeated('error', 'events cannot be written', null, { reason: errorInfo(error).message });
        isStuck = true;
        for (const goOn of patient) goOn();
        if (stop.signal.aborted) {
          isGivenUp = true;
          throw error;
        }
        await clock.sleep(AGAIN_MS, stop.signal);
      }
    }
  }

  /** It must not know of what is not in the log: it waits while something is on its way there. */
  async function writeStateNow(): Promise<void> {
    if (said.length === 0) await writeState(state.take());
  }

  async function writeState(taken: EventState): Promise<void> {
    if (!isGivenUp) await state.write({ ...taken, last });
  }

  function alarm(): void {
    cancelAlarm();
    const at = engine.dueAt();
    const due = state.isOld && waiting === 0 ? Math.min(at ?? Infinity, state.dueAt) : at;
    if (due === null || stop.signal.aborted) return;
    cancelAlarm = clock.after(Math.max(50, due - clock.monotonic()), () => {
      engage(() => engine.passed(moment()));
      if (state.isOld && waiting === 0 && state.isDue) then(writeStateNow);
    });
  }

  async function restore(): Promise<void> {
    const items = ([...await log.read({ limit: MOST_READ, pictures: true })] as unknown as EventItem[]).reverse();
    for (const item of items) {
      recent.add(item);
      ids.after(item.id);
    }
    const { state: before, since } = await state.read();
    const newest = items.at(-1);
    last = newest ? itemName(newest) : before?.last ?? null;
    engage(() => engine.restore(before, items, moment(), since));
  }

  await restore();
  return {
    offered: (camera) => { placeNow(camera); },
    looked(stream, frame, model, look) {
      const named = sectionOf(model, stream.camera_id);
      const seen: Seen = { stream, frame, model, look, section: named ?? model, complains: named !== null, place: placeNow(stream.camera_id) };
      order.tell(stream.camera_id, frame, () => {
        // How what goes on was last looked at is in the log every ten seconds only.
        if ('detections' in look && engine.open().includes(stream.camera_id)) state.age();
        engage(() => engine.looked(seen, moment()));
      });
    },
    left: (batch) => { order.left(batch); },
    over: (batch) => { order.over(batch); },
    async settled(batch) {
      await order.told(batch);
      // It is not looked at again once its record is there.
      const open = engine.openOf(batch.camera_id, moment()).map((one) => ({ ...one, batches: one.batches.filter((id) => id === batch.id) }));
      await Promise.all([pictures.settled(), state.note(open)]);
      await written();
    },
    stopped(camera) { engage(() => engine.stopped(camera, moment())); },
    removed(camera) { engage(() => engine.removed(camera, moment())); },
    begun(isCapturing) {
      for (const camera of engine.open()) if (!isCapturing(camera)) engage(() => engine.stopped(camera, moment()));
    },
    silence(camera, rule, until) {
      engine.silence(camera, rule, until, moment());
      state.hasten();
      then(writeStateNow);
    },
    silences: () => engine.silences(moment()),
    setRules(rules) { engage(() => engine.setRules(rules, moment())); },
    list: (query) => recent.list(query),
    get: (id) => recent.get(id),
    shown: (id) => pictures.shown(id),
    async review(id, request) {
      const stuck = (): never => { throw new LookoutError('log_failed', 'The log of events cannot be written for now; say it again once it can be.'); };
      if (isStuck) stuck();
      const reviewed = new Promise<ReviewedEvent>((resolve, reject) => { then(() => review(id, request).then(resolve, reject)); });
      return Promise.race([reviewed, written().then(stuck)]);
    },
    since: (id) => recent.since(id),
    onItem(listener) {
      listeners.add(listener);
      return () => { listeners.delete(listener); };
    },
    async close() {
      order.close();
      stop.abort();
      cancelAlarm();
      await unfinished.over();
      await work;
      await writeStateNow();
    },
  };
}
