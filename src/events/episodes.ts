/**
 * The engine of events: told what models see, it says which episodes there are. Passive: it is told the time and never waits.
 *
 * - Every episode of a camera, rule, section and class is told; its rule decides only whether it alerts.
 * - It begins at once with the look that shows the class in enough frames, whatever other models may still say of them.
 * - It ends once looks in a row and long enough found nothing. Only answers count, of models that have seen it: others may not
 *   know what it is. A model of the section that is behind may still have seen it, so its looks are waited for while they come.
 * - When nobody could look for long it ends as `not_looked`; what lasts longer than an episode may goes on as another one.
 * - What is heard of late joins the episode of its time, one that has ended in silence: its last entry is its last.
 */
import type { Log } from '../lib/log.ts';
import type { EventItem, EventRule, Frame } from '../types.ts';
import { createCamera, forgetIdle, forgotten, isBlank, isNew, lineOf, linesOf, sessionOf, type Camera, type ModelLine } from './camera.ts';
import { endedEntryOf, entryOf, episodeOf, openStateOf } from './entry.ts';
import { beginEpisode, endingOf, limitsOf, miss, reaches, see, type Ending, type Episode, type Sighting } from './episode.ts';
import { findingsOf, type Finding, type Findings } from './findings.ts';
import type { Moment, Seen, Told } from './seen.ts';
import { createSilences, type Silence } from './silences.ts';
import { ruleOf } from '../words/event-rules.ts';
import { itemName, nameOf, restored, stateOf, type EventState, type ItemName } from './state.ts';
import { createSuppression, type SuppressionSettings } from './suppression.ts';
import { watermark } from './watermark.ts';

export interface EpisodesParts extends SuppressionSettings {
  readonly rules: readonly EventRule[];
  /** UUIDv7. */
  readonly newId: () => string;
  /** The batch that a frame is in, also while that is open. null: nobody knows. */
  readonly batchOf: (frame: Frame) => string | null;
  readonly log: Pick<Log, 'repeated'>;
}

export interface Episodes {
  looked(seen: Seen, moment: Moment): Told;
  /** It is so late now. */
  passed(moment: Moment): Told;
  /** When, at the latest, it has to be told the time, on the clock that only goes on; null: whenever. Each call may change it. */
  dueAt(): number | null;
  /** The camera's stream was stopped. */
  stopped(cameraId: string, moment: Moment): Told;
  /** Likewise, and nothing is to be known of it any more. */
  removed(cameraId: string, moment: Moment): Told;
  setRules(rules: readonly EventRule[], moment: Moment): Told;
  /** Nothing of the camera alerts until then (milliseconds since 1970); null: nothing of the rule alone. */
  silence(cameraId: string, rule: string | null, until: number, moment: Moment): void;
  silences(moment: Moment): readonly Silence[];
  /** Begins with what an earlier run left: its state, and the log's items from the state's last one on, or from earlier on. */
  restore(state: EventState | null, items: readonly EventItem[], moment: Moment): Told;
  /** To be written once all that was answered before is in the log: else it knows of what never was. */
  state(moment: Moment): EventState;
  /** Cameras of episodes that have not ended. */
  open(): readonly string[];
  /** Times that a class was seen and no episode could begin, because its camera has too many. */
  readonly tooMany: number;
}

/** Episodes of a camera at a time. */
const MOST_OPEN = 200;
const TOLD_EVERY_MS = 10_000;
const HELD_MS = 1000;
const MINUTE_MS = 60_000;
/** Of how a stream was captured, whose event only the log tells of. */
const UNKNOWN = { interval_seconds: 0, batch_size: 0 };

/** A look that was answered, as its rules go by it. */
interface Answer {
  readonly seen: Seen;
  readonly camera: Camera;
  readonly line: ModelLine;
  readonly time: number;
  readonly shift: number;
  readonly moment: Moment;
}

export function createEpisodes({ rules: given, newId, batchOf, log, ...settings }: EpisodesParts): Episodes {
  let rules = given;
  let cameras = new Map<string, Camera>();
  let silences = createSilences([]);
  let suppression = createSuppression(settings, silences);
  let last: ItemName | null = null;
  let due: number | null = null;
  let idleForgottenAt = -Infinity;
  let tooMany = 0;
  let items: EventItem[] = [];
  let best: Told['best'][number][] = [];

  function told(work: () => void): Told {
    items = [];
    best = [];
    work();
    return { items, best };
  }

  function say(item: EventItem): void {
    items.push(item);
    last = itemName(item);
  }

  function wake(at: number): void {
    due = due === null ? at : Math.min(due, at);
  }

  function cameraOf(id: string, { monotonic }: Moment): Camera {
    const camera = cameras.get(id) ?? createCamera(id, monotonic);
    cameras.set(id, camera);
    return camera;
  }

  function tell(episode: Episode, state: 'begun' | 'going_on', moment: Moment): void {
    say(entryOf(episode, state, moment));
    episode.sequence += 1;
    episode.told = moment.monotonic;
    episode.changed = false;
  }

  function tellChanges(episode: Episode, moment: Moment): void {
    if (!episode.changed) return;
    if (moment.monotonic - episode.told >= TOLD_EVERY_MS) tell(episode, 'going_on', moment);
    else wake(episode.told + TOLD_EVERY_MS);
  }

  function open(camera: Camera, episode: Episode): void {
    const name = nameOf(episode.rule, episode.section, episode.class);
    camera.open.set(name, [...(camera.open.get(name) ?? []), episode]);
    camera.size += 1;
    wake(episode.heard + episode.limits.silence);
  }

  function end(camera: Camera, episode: Episode, ending: Ending, moment: Moment): void {
    const name = nameOf(episode.rule, episode.section, episode.class);
    const others = (camera.open.get(name) ?? []).filter((other) => other !== episode);
    if (others.length > 0) camera.open.set(name, others);
    else camera.open.delete(name);
    camera.size -= 1;
    // What was captured until somebody stopped it may still be looked at.
    const until = ending.by === 'interrupted' ? Math.max(ending.time, moment.now + episode.shift) : ending.time;
    camera.covered.add(name, episode.began - episode.limits.quiet, until, moment.monotonic);
    say(endedEntryOf(episode, ending, moment));
  }

  /** Ends what has ended, of a section or of all (null). */
  function settle(camera: Camera, section: string | null, moment: Moment): void {
    if (camera.size === 0) return;
    for (const episode of [...camera.open.values()].flat()) {
      if (section !== null && episode.section !== section) continue;
      const mark = watermark(linesOf(camera), episode.section, episode.began - episode.limits.gap, moment.monotonic);
      const ending = endingOf(episode, mark, moment.monotonic);
      if (ending === 'held') wake(moment.monotonic + HELD_MS);
      else if (ending) end(camera, episode, ending, moment);
    }
  }

  function interrupt(camera: Camera, moment: Moment, which: (episode: Episode) => boolean = () => true): void {
    for (const episode of [...camera.open.values()].flat().filter(which)) end(camera, episode, { by: 'interrupted', time: episode.last_look }, moment);
  }

  /** Whether it alerts from now on. Summaries are for after its entry. */
  function decide(episode: Episode, rule: EventRule, findings: readonly Finding[], { seen, camera, moment }: Answer): { readonly isNew: boolean; readonly summary: EventItem | null } {
    if (episode.alert) return { isNew: false, summary: null };
    const captured = Date.parse(seen.frame.captured_at);
    const one = { camera, rule, name: episode.class, model: seen.model, captured, from: seen.stream.from, places: findings.map(({ place }) => place) };
    const reason = suppression.reasonAgainst(one, moment);
    if (reason === null) {
      suppression.alerted(one);
      episode.alert = true;
    }
    const isLimited = reason === 'daily_limit' && episode.suppressed !== reason;
    episode.suppressed = reason;
    const day = isLimited ? camera.daily.suppressed(rule.name, suppression.dayOf(captured)) : null;
    if (isLimited) wake(moment.monotonic + MINUTE_MS);
    return { isNew: reason === null, summary: day && summary(camera, day, 'first', moment) };
  }

  function summary(camera: Camera, { rule, day, suppressed, alerts }: ReturnType<Camera['daily']['over']>[number], when: 'first' | 'day_end', { now }: Moment): EventItem {
    camera.daily.told(rule, day, when);
    return { kind: 'summary', id: newId(), at: new Date(now).toISOString(), camera_id: camera.id, rule, day, suppressed, alerts, when };
  }

  function join(episode: Episode, sighting: Sighting, moment: Moment): void {
    if (see(episode, sighting, batchOf(sighting.frame), moment.monotonic)) best.push({ event: episode.id, frame: sighting.frame });
  }

  /** null: it does not begin, or not yet. */
  function begin(name: string, sighting: Sighting, { rule, limits, beginnings }: ModelLine['rules'][number], { seen, camera, moment }: Answer): Episode | null {
    const isCovered = camera.covered.has(nameOf(rule.name, seen.section, name), sighting.time, seen.stream.from === 'live', moment.monotonic);
    const sightings = isCovered ? [] : beginnings.seen(name, sighting);
    if (sightings === 'full' || (sightings.length > 0 && camera.size >= MOST_OPEN)) {
      tooMany += 1;
      log.repeated('warn', `more than ${MOST_OPEN} classes are seen at a time: further ones make no events`, camera.id, {});
      return null;
    }
    const [first] = sightings;
    if (!first) return null;
    const of = { id: newId(), camera_id: camera.id, place: seen.place, rule: rule.name, section: seen.section, class: name, limits };
    const episode = beginEpisode(of, first, moment.monotonic);
    for (const one of sightings) see(episode, one, batchOf(one.frame), moment.monotonic);
    const shown = sightings.find(({ frame }) => frame.captured_at === episode.best.captured_at) ?? first;
    best.push({ event: episode.id, frame: shown.frame });
    open(camera, episode);
    return episode;
  }

  function sight(name: string, findings: readonly Finding[], by: ModelLine['rules'][number], answer: Answer): void {
    const [surest] = findings;
    if (!surest) return;
    const { seen, camera, time, shift, moment } = answer;
    const sighting: Sighting = { frame: seen.frame, model: seen.model, time, shift, confidence: surest.confidence, box: surest.box };
    const known = camera.open.get(nameOf(by.rule.name, seen.section, name))?.find((episode) => reaches(episode, time)) ?? null;
    const isOver = known !== null && time > known.last_seen && time - known.began >= known.limits.longest;
    if (isOver) end(camera, known, { by: 'max_seconds', time: known.last_seen }, moment);
    const goesOn = isOver ? null : known;
    const episode = goesOn ?? begin(name, sighting, by, answer);
    if (!episode) return;
    episode.limits = by.limits;
    if (goesOn) join(episode, sighting, moment);
    const { isNew: alerts, summary: after } = decide(episode, by.rule, findings, answer);
    if (!goesOn) tell(episode, 'begun', moment);
    else if (alerts) tell(episode, 'going_on', moment);
    else tellChanges(episode, moment);
    if (after) say(after);
  }

  function answered(findings: Findings, answer: Answer): void {
    const { seen, camera, line, time, shift, moment } = answer;
    for (const by of line.rules) {
      const { rule, beginnings } = by;
      beginnings.looked();
      const counts = new Map<string, readonly Finding[]>();
      for (const [name, all] of findings) {
        const sure = all.filter(({ confidence }) => confidence >= rule.confidence);
        if (sure.length > 0 && (rule.classes === null || rule.classes.includes(name))) counts.set(name, sure);
      }
      if (camera.size > 0) {
        for (const episode of [...camera.open.values()].flat()) {
          if (episode.rule !== rule.name || episode.section !== seen.section || counts.has(episode.class)) continue;
          miss(episode, { model: seen.model, time, shift }, moment.monotonic);
        }
      }
      for (const [name, sure] of counts) sight(name, sure, by, answer);
    }
    const sinceMs = Math.min(Math.max(0, time - line.answered), 3 * line.intervalMs);
    line.answered = Math.max(line.answered, time);
    camera.stationary.looked(seen.model, (name) => (findings.get(name) ?? []).map(({ place }) => place), sinceMs);
  }

  return {
    get tooMany() {
      return tooMany;
    },
    dueAt: () => due,
    open: () => [...cameras.values()].filter(({ size }) => size > 0).map(({ id }) => id),
    looked: (seen, moment) => told(() => {
      const { stream, frame, look } = seen;
      const camera = cameraOf(stream.camera_id, moment);
      const session = sessionOf(camera, stream.session);
      const line = lineOf(session, seen, rules);
      if (!isNew(line, frame.key)) return;
      const { time, shift } = session.timeline.at(frame, stream, moment);
      line.heard = moment.monotonic;
      // What ended before this frame was captured is not prolonged by it.
      line.latest = Math.max(line.latest, time - 1);
      settle(camera, seen.section, moment);
      if ('detections' in look) answered(findingsOf(look.detections, frame), { seen, camera, line, time, shift, moment });
      line.latest = Math.max(line.latest, time);
      settle(camera, seen.section, moment);
    }),
    passed: (moment) => told(() => {
      due = null;
      const isMinute = moment.monotonic - idleForgottenAt >= MINUTE_MS;
      if (isMinute) idleForgottenAt = moment.monotonic;
      for (const camera of cameras.values()) {
        settle(camera, null, moment);
        for (const episode of [...camera.open.values()].flat()) {
          tellChanges(episode, moment);
          wake(episode.heard + episode.limits.silence);
        }
        if (camera.daily.isOwed) {
          for (const day of camera.daily.over(suppression.dayOf(moment.now))) say(summary(camera, day, 'day_end', moment));
          if (camera.daily.isOwed) wake(moment.monotonic + MINUTE_MS);
        }
        if (!isMinute) continue;
        forgetIdle(camera, moment.monotonic);
        if (isBlank(camera, moment.monotonic)) cameras.delete(camera.id);
      }
    }),
    stopped: (cameraId, moment) => told(() => {
      const camera = cameras.get(cameraId);
      if (camera) interrupt(camera, moment);
    }),
    removed: (cameraId, moment) => told(() => {
      const camera = cameras.get(cameraId);
      if (camera) interrupt(camera, moment);
      if (camera) cameras.set(cameraId, forgotten(camera, moment.monotonic));
    }),
    setRules: (next, moment) => told(() => {
      rules = next;
      for (const camera of cameras.values()) {
        for (const { lines } of camera.sessions.values()) lines.clear();
        interrupt(camera, moment, (episode) => !next.some(({ name }) => name === episode.rule));
      }
    }),
    silence(camera_id, rule, until, { now }) {
      silences.add({ camera_id, rule, from: now, until });
    },
    silences: ({ now }) => silences.list(now),
    restore: (state, logged, moment) => told(() => {
      silences = createSilences(state?.silences ?? []);
      suppression = createSuppression(settings, silences);
      const left = restored(state, logged, rules, suppression, moment);
      cameras = new Map(left.cameras);
      last = left.last;
      for (const { entry, batches, limits } of left.open) {
        const camera = cameraOf(entry.camera_id, moment);
        const rule = rules.find(({ name }) => name === entry.rule);
        const episode = episodeOf(entry, batches, limits ?? limitsOf(rule ?? ruleOf({ name: entry.rule }), UNKNOWN), moment);
        open(camera, episode);
        if (!rule) interrupt(camera, moment, (other) => other === episode);
      }
      wake(moment.monotonic);
    }),
    state: (moment) => stateOf(
      last, cameras,
      [...cameras.values()].flatMap((camera) => [...camera.open.values()].flat().map((episode) => openStateOf(episode, moment))),
      silences.list(moment.now), moment.monotonic,
    ),
  };
}

