/** What the answer of a model makes of episodes: some begin, some go on, some were not seen. */
import type { EventRule, EventSummary, Frame } from '../types.ts';
import type { Book } from './book.ts';
import type { Camera, ModelLine } from './camera.ts';
import type { Day } from './daily.ts';
import { beginEpisode, miss, nearest, see, spans, type Episode, type Sighting } from './episode.ts';
import { meets, type Finding, type Findings } from './findings.ts';
import type { Moment, Seen } from './seen.ts';
import { nameOf } from './state.ts';
import type { Suppression } from './suppression.ts';
import type { Timed } from './timeline.ts';

export interface Answer extends Timed {
  readonly seen: Seen;
  readonly findings: Findings;
  readonly camera: Camera;
  readonly line: ModelLine;
  readonly moment: Moment;
}

export interface AnswersParts {
  readonly book: Book;
  readonly suppression: Suppression;
  readonly newId: () => string;
  readonly batchOf: (frame: Frame) => string | null;
  /** The camera has too many episodes for another one. */
  readonly tooMany: (camera: Camera) => void;
}

export interface Answers {
  take(answer: Answer): void;
  summaryOf(camera: Camera, day: Day, when: EventSummary['when'], moment: Moment): EventSummary;
}

/** Episodes of a camera at a time. */
export const MOST_OPEN = 200;
const SUMMED_UP_MS = 60_000;
/** From look to look so much counts as looked at, also where pictures have no interval; for three intervals at the least. */
const LONGEST_LOOK_MS = 60_000;

export function createAnswers({ book, suppression, newId, batchOf, tooMany }: AnswersParts): Answers {
  const summaryOf: Answers['summaryOf'] = (camera, { rule, day, suppressed, alerts }, when, { now }) => {
    camera.daily.told(rule, day, when);
    return { kind: 'summary', id: newId(), at: new Date(now).toISOString(), camera_id: camera.id, rule, day, suppressed, alerts, when };
  };

  /** Whether it begins to alert, and what is to be said after its entry. */
  function decide(episode: Episode, rule: EventRule, findings: readonly Finding[], { seen, camera, time, shift, moment }: Answer): { readonly alerts: boolean; readonly after: EventSummary | null } {
    if (episode.alert) return { alerts: false, after: null };
    const one = { camera, rule, name: episode.class, model: seen.model, captured: time - shift, from: seen.stream.from, places: findings.map(({ place }) => place) };
    const before = episode.suppressed;
    episode.suppressed = suppression.reasonAgainst(one, moment);
    if (episode.suppressed === null) {
      suppression.alerted(one);
      episode.alert = true;
    }
    if (episode.suppressed !== 'daily_limit' || before === 'daily_limit') return { alerts: episode.alert, after: null };
    const day = camera.daily.suppressed(rule.name, suppression.dayOf(one.captured));
    book.wake(moment.monotonic + SUMMED_UP_MS);
    return { alerts: false, after: day && summaryOf(camera, day, 'first', moment) };
  }

  /** null: it does not begin, or not yet. */
  function begin(key: string, name: string, sighting: Sighting, { rule, limits, beginnings }: ModelLine['rules'][number], { seen, camera, moment }: Answer): Episode | null {
    const sightings = beginnings.seen(name, sighting);
    if (sightings === 'full' || (sightings.length > 0 && camera.size >= MOST_OPEN)) {
      tooMany(camera);
      return null;
    }
    const [first] = sightings;
    if (!first) return null;
    const episode = beginEpisode(
      { id: newId(), camera_id: camera.id, place: seen.place, rule: rule.name, section: seen.section, complains: seen.complains, class: name, limits, ...camera.covered.room(key, first.time) },
      first, moment.monotonic,
    );
    let best = first.frame;
    for (const one of sightings) if (see(episode, one, batchOf(one.frame), moment.monotonic)) best = one.frame;
    book.show(episode, best);
    book.open(camera, episode);
    return episode;
  }

  function sight(name: string, findings: readonly [Finding, ...Finding[]], by: ModelLine['rules'][number], answer: Answer): void {
    const { seen, camera, time, shift, moment } = answer;
    const [{ confidence, box }] = findings;
    const sighting: Sighting = { frame: seen.frame, model: seen.model, time, shift, confidence, box };
    const key = nameOf(by.rule.name, seen.section, name);
    const known = nearest(camera.open.get(by.scope)?.get(name) ?? [], time);
    if (!(known && spans(known, time)) && camera.covered.has(key, time, seen.stream.from === 'live', moment.monotonic)) return;
    const isOver = known !== null && time > known.last_seen && time - known.began >= known.limits.longest;
    if (isOver) book.end(camera, known, { by: 'max_seconds', time: known.last_seen }, moment);
    const goesOn = isOver ? null : known;
    const episode = goesOn ?? begin(key, name, sighting, by, answer);
    if (!episode) return;
    const { began } = episode;
    episode.limits = by.limits;
    if (goesOn && see(goesOn, sighting, batchOf(seen.frame), moment.monotonic)) book.show(goesOn, seen.frame);
    const { alerts, after } = decide(episode, by.rule, findings, answer);
    if (!goesOn) book.tell(episode, 'begun', moment, alerts);
    // That it began earlier than was told is not told again after a crash.
    else if (alerts || episode.began < began) book.tell(episode, 'going_on', moment, alerts);
    else book.tellChanges(episode, moment);
    if (after) book.say(after);
  }

  return {
    summaryOf,
    take(answer) {
      const { seen, findings, camera, line, moment, time } = answer;
      for (const by of line.rules) {
        by.beginnings.looked();
        const found = meets(findings, by.rule);
        for (const [name, episodes] of camera.open.get(by.scope) ?? []) {
          if (found.has(name)) continue;
          for (const episode of episodes) {
            episode.limits = by.limits;
            miss(episode, { model: seen.model, time, shift: answer.shift }, moment.monotonic);
          }
        }
        for (const [name, sure] of found) sight(name, sure, by, answer);
      }
      // Hours without looks are none.
      const sinceMs = Math.min(Math.max(0, time - line.answered), Math.max(LONGEST_LOOK_MS, 3 * line.intervalMs));
      line.answered = Math.max(line.answered, time);
      camera.stationary.looked(seen.model, (name) => (findings.get(name) ?? []).map(({ place }) => place), sinceMs);
    },
  };
}
