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
import type { EventItem, EventRule, Frame, Silence } from '../types.ts';
import { ruleOf } from '../words/event-rules.ts';
import { createAnswers, MOST_OPEN } from './answers.ts';
import { createBook } from './book.ts';
import { covers, createCamera, episodesOf, forgetIdle, forgotten, isBlank, isNew, lineOf, sessionOf, type Camera } from './camera.ts';
import { episodeOf, openStateOf } from './entry.ts';
import { limitsOf, type Episode } from './episode.ts';
import { findingsOf } from './findings.ts';
import type { Moment, Seen, Told } from './seen.ts';
import { createSilences } from './silences.ts';
import { restored, stateOf, type EventState, type OpenState } from './state.ts';
import { createSuppression, type SuppressionSettings } from './suppression.ts';

export interface EpisodesParts extends SuppressionSettings {
  readonly rules: readonly EventRule[];
  /** UUIDv7. */
  readonly newId: () => string;
  /** The batch that a frame is in, also while that is open. null: nobody knows. */
  readonly batchOf: (frame: Frame) => string | null;
  /** Some of what an earlier run captured of the camera is still to be looked at: nothing ends by silence meanwhile. */
  readonly isLeft: (camera: string) => boolean;
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
  /** What goes on by a rule that is there no more, or covers it no more, is interrupted; all else goes on, by the rules as they are now. */
  setRules(rules: readonly EventRule[], moment: Moment): Told;
  /** Nothing that the rule (null: any) says of the camera alerts until then, in milliseconds since 1970; 0 ends it. */
  silence(cameraId: string, rule: string | null, until: number, moment: Moment): void;
  silences(moment: Moment): readonly Silence[];
  /** Begins with what an earlier run left: its state, the log's items from the state's last one on, or from earlier on, and how episodes went on since, the oldest first. */
  restore(state: EventState | null, items: readonly EventItem[], moment: Moment, since?: readonly OpenState[]): Told;
  /** To be written once all that was answered before is in the log: else it knows of what never was. */
  state(moment: Moment): EventState;
  /** Likewise, of the episodes of one camera that have not ended. */
  openOf(cameraId: string, moment: Moment): readonly OpenState[];
  /** Cameras of episodes that have not ended. */
  open(): readonly string[];
  /** Times that a class was seen and no episode could begin, because its camera has too many. */
  readonly tooMany: number;
}

const MINUTE_MS = 60_000;
/** Of how a stream was captured, whose event only the log tells of. */
const UNKNOWN = { interval_seconds: 0, batch_size: 0 };

export function createEpisodes({ rules: given, newId, batchOf, isLeft, log, ...settings }: EpisodesParts): Episodes {
  let rules = given;
  let cameras = new Map<string, Camera>();
  let idleForgottenAt = -Infinity;
  let tooMany = 0;
  const book = createBook(isLeft);
  const silences = createSilences();
  const suppression = createSuppression(settings, silences);
  const answers = createAnswers({
    book, suppression, newId, batchOf,
    tooMany({ id }) {
      tooMany += 1;
      log.repeated('warn', `more than ${MOST_OPEN} classes are seen at a time: further ones make no events`, id, {});
    },
  });

  function cameraOf(id: string, { monotonic }: Moment): Camera {
    const camera = cameras.get(id) ?? createCamera(id, monotonic);
    cameras.set(id, camera);
    return camera;
  }

  function interrupt(cameraId: string, moment: Moment): void {
    const camera = cameras.get(cameraId);
    if (camera) book.interrupt(camera, () => true, moment);
  }

  function openOf(cameraId: string, moment: Moment): readonly OpenState[] {
    const camera = cameras.get(cameraId);
    return camera ? [...episodesOf(camera)].map((episode) => openStateOf(episode, moment)) : [];
  }

  const isUncovered = (episode: Episode): boolean => !rules.some((rule) => rule.name === episode.rule && covers(rule, episode));

  function sumUpDays(camera: Camera, moment: Moment): void {
    if (!camera.daily.isOwed()) return;
    for (const day of camera.daily.over(suppression.dayOf(moment.now))) book.say(answers.summaryOf(camera, day, 'day_end', moment));
    if (camera.daily.isOwed()) book.wake(moment.monotonic + MINUTE_MS);
  }

  function forget(moment: Moment): void {
    if (moment.monotonic - idleForgottenAt < MINUTE_MS) return;
    idleForgottenAt = moment.monotonic;
    for (const camera of cameras.values()) {
      forgetIdle(camera, moment.monotonic);
      if (isBlank(camera, moment.monotonic)) cameras.delete(camera.id);
    }
  }

  return {
    get tooMany() {
      return tooMany;
    },
    dueAt: () => book.due,
    open: () => [...cameras.values()].filter(({ size }) => size > 0).map(({ id }) => id),
    looked: (seen, moment) => book.told(() => {
      const { stream, frame, look, section } = seen;
      const camera = cameraOf(stream.camera_id, moment);
      const session = sessionOf(camera, stream.session);
      const line = lineOf(session, seen, rules);
      if (!isNew(line, frame.key)) return;
      const { time, shift } = session.timeline.at(frame, stream, moment);
      line.heard = moment.monotonic;
      // What ended before this frame was captured is not prolonged by it.
      line.latest = Math.max(line.latest, time - 1);
      book.settle(camera, { section, time }, moment);
      if ('detections' in look) answers.take({ seen, findings: findingsOf(look.detections, frame), camera, line, time, shift, moment });
      line.latest = Math.max(line.latest, time);
      book.settle(camera, { section, time }, moment);
    }),
    passed: (moment) => book.told(() => {
      book.due = null;
      for (const camera of cameras.values()) {
        book.settle(camera, null, moment);
        for (const episode of episodesOf(camera)) {
          book.tellChanges(episode, moment);
          book.wake(episode.heard + episode.limits.silence);
        }
        sumUpDays(camera, moment);
      }
      forget(moment);
    }),
    stopped: (cameraId, moment) => book.told(() => { interrupt(cameraId, moment); }),
    removed: (cameraId, moment) => book.told(() => {
      interrupt(cameraId, moment);
      const camera = cameras.get(cameraId);
      if (camera) cameras.set(cameraId, forgotten(camera, moment.monotonic));
    }),
    setRules: (next, moment) => book.told(() => {
      rules = next;
      for (const camera of cameras.values()) book.interrupt(camera, isUncovered, moment);
    }),
    silence(camera_id, rule, until, { now }) {
      silences.add({ camera_id, rule, from: now, until });
    },
    silences: ({ now }) => silences.list(now),
    restore: (state, items, moment, since = []) => book.told(() => {
      silences.restore(state?.silences ?? []);
      const left = restored(state, items, since, rules, suppression, moment);
      cameras = new Map(left.cameras);
      book.last = left.last;
      for (const one of left.open) {
        const { entry, limits } = one;
        const camera = cameraOf(entry.camera_id, moment);
        const rule = rules.find(({ name }) => name === entry.rule);
        const episode = episodeOf(one, limits ?? limitsOf(rule ?? ruleOf({ name: entry.rule }), UNKNOWN), moment);
        book.open(camera, episode);
      }
      for (const camera of cameras.values()) book.interrupt(camera, isUncovered, moment);
      book.wake(moment.monotonic);
    }),
    openOf,
    state(moment) {
      const open = [...cameras.keys()].flatMap((id) => openOf(id, moment));
      return stateOf(book.last, cameras, open, silences.list(moment.now), moment.monotonic);
    },
  };
}
