/** Events: episodes that begin, go on and end, and the rules that make them. */
import type { Box } from './finding.ts';
import type { Clip } from './video.ts';

export interface EventQuery {
  readonly camera_id?: string | undefined;
  readonly rule?: string | undefined;
  readonly class?: string | undefined;
  readonly alert?: boolean | undefined;
  /** `open`: those that go on. */
  readonly state?: 'open' | 'ended' | undefined;
  /** RFC 3339: seen then or later. */
  readonly since?: string | undefined;
  /** `none`: those that have none. */
  readonly verdict?: Verdict | 'none' | undefined;
  /** Id of an event: those that began before it. */
  readonly before?: string | undefined;
  readonly limit: number;
}

/**
 * An entry of the log of events: of an episode in which a class is seen by a camera, when it begins, while it goes on, and when
 * it has ended. The last entry of an id says all that is known of it.
 */
export interface EventEntry {
  readonly kind: 'event';
  /** UUIDv7. */
  readonly id: string;
  /** Of the entry, from 0. */
  readonly sequence: number;
  readonly state: 'begun' | 'going_on' | 'ended';
  /** RFC 3339: when the entry was made. */
  readonly at: string;
  readonly camera_id: string;
  /** Degrees, WGS 84; null: unknown. */
  readonly place: { readonly latitude: number; readonly longitude: number } | null;
  readonly rule: string;
  readonly section: string;
  readonly class: string;
  readonly models: readonly string[];
  readonly alert: boolean;
  /** In the one entry with which it begins to alert: that of its beginning, or a later one. */
  readonly alerts_now?: true;
  /** Why it is none; null: it is. */
  readonly suppressed: Suppressed | null;
  /** RFC 3339: of the first and the last frame in which it was seen. */
  readonly began_at: string;
  readonly last_seen_at: string;
  /** null: it has not. */
  readonly ended_at: string | null;
  readonly ended_by: 'quiet' | 'not_looked' | 'max_seconds' | 'interrupted' | null;
  /** In which it was seen. */
  readonly frames: number;
  /** Of the frame with the highest confidence. */
  readonly best: {
    readonly captured_at: string;
    readonly confidence: number;
    /** Pixels; null: a classification. */
    readonly box: Box | null;
    /** Pixels of the picture. */
    readonly width: number;
    readonly height: number;
    /** Its name under data/events; null: it could not be kept. */
    readonly picture: string | null;
  };
  /** null: there is none, or not yet. */
  readonly clip: EventClip | null;
  /** Batches that it spans; null while it goes on. */
  readonly batches: readonly string[] | null;
}

/** Video that shows an event, and perhaps others of its camera. */
export interface EventClip extends Pick<Clip, 'id' | 'made_of' | 'begins_at'> {
  /** RFC 3339. */
  readonly ends_at: string;
}

/** Of a camera; in milliseconds since 1970. */
export interface Silence {
  readonly camera_id: string;
  /** null: of all. */
  readonly rule: string | null;
  readonly from: number;
  readonly until: number;
}

/** Why an event does not alert, or not yet. `rule`: its rule never does. */
export type Suppressed = 'cooldown' | 'hours' | 'daily_limit' | 'stationary' | 'silenced' | 'too_old' | 'rule';

/** What the log of events holds of a rule and camera whose alerts of the day were used up: at the first that is not given, and at the day's end. */
export interface EventSummary {
  readonly kind: 'summary';
  /** UUIDv7. */
  readonly id: string;
  /** RFC 3339. */
  readonly at: string;
  readonly camera_id: string;
  readonly rule: string;
  /** `YYYY-MM-DD`, of the settings' time zone. */
  readonly day: string;
  /** Events that would have alerted, until now. */
  readonly suppressed: number;
  readonly alerts: number;
  readonly when: 'first' | 'day_end';
}

/** What somebody says of an event, in the log of events: whether it was right to alert, and whether to keep it. The newest of an event counts. */
export interface EventReview {
  readonly kind: 'review';
  /** UUIDv7. */
  readonly id: string;
  /** Id of the event. */
  readonly event: string;
  /** RFC 3339. */
  readonly at: string;
  readonly camera_id: string;
  readonly rule: string;
  /** null: none. */
  readonly verdict: Verdict | null;
  /** What shows it goes last of all where room is short. */
  readonly keep: boolean;
}

export type Verdict = 'true_alarm' | 'false_alarm';

/** A line of the log of events. */
export type EventItem = EventEntry | EventSummary | EventReview;

/** What the newest entry of an event says, and the newest review. */
export type ReviewedEvent = EventEntry & Pick<EventReview, 'verdict' | 'keep'>;

/** What is not said stays as it is. */
export type ReviewRequest = Partial<Pick<EventReview, 'verdict' | 'keep'>>;

/** Which looks make events, when an episode begins and ends, and whether it alerts. null: any, or none. */
export interface EventRule {
  readonly name: string;
  readonly cameras: readonly string[] | null;
  readonly models: readonly string[] | null;
  /** null: with `models` all of theirs, else those that count as a complaint. */
  readonly sections: readonly string[] | null;
  readonly classes: readonly string[] | null;
  /** Findings below are none. */
  readonly confidence: number;
  /** It begins once `seen` of the last `of` frames that a model looked at show it. */
  readonly min_frames: { readonly seen: number; readonly of: number };
  readonly quiet_looks: number;
  /** null: three times the stream's interval, 10 at the least. */
  readonly quiet_seconds: number | null;
  readonly max_gap_seconds: number;
  readonly max_seconds: number;
  /** false: its events are logged and alert nobody. */
  readonly alert: boolean;
  readonly cooldown_seconds: number;
  /** Cron expression of the minutes in which it alerts. */
  readonly hours: string | null;
  readonly daily_limit: number | null;
  /** What stays where it has alerted alerts no more. */
  readonly stationary: boolean;
  /** Those that alert have a clip; also of streams that say so themselves. */
  readonly clips: boolean;
  /** How long before it was first seen, and after it was last seen, its clip begins and ends. */
  readonly pre_roll_seconds: number;
  readonly post_roll_seconds: number;
  readonly clip_max_seconds: number;
}
