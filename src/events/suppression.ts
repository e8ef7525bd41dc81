/**
 * Whether an episode alerts.
 *
 * It is asked with every look that sees it until it does: what began outside the hours, within a cooldown, in a silence or
 * beyond the limit of a day alerts when that is over and it is still there, and so does what stands still when a further thing
 * comes. These put an alert off; nobody wants to miss a thing that stays because it came at the wrong moment.
 */
import { createHours } from '../lib/schedule.ts';
import type { EventRule, StreamRef, Suppressed } from '../types.ts';
import type { Camera } from './camera.ts';
import { createDayOf } from './day.ts';
import type { Moment } from './seen.ts';
import type { Silences } from './silences.ts';
import type { Place } from './stationary.ts';

/** An episode that is seen. */
export interface Case {
  readonly camera: Camera;
  readonly rule: EventRule;
  readonly name: string;
  readonly model: string;
  /** When the frame was captured, as its clock said. */
  readonly captured: number;
  readonly from: StreamRef['from'];
  readonly places: readonly (Place | null)[];
}

export interface Suppression {
  /** null: it alerts. */
  readonly reasonAgainst: (one: Case, moment: Moment) => Suppressed | null;
  readonly alerted: (one: Case) => void;
  readonly dayOf: (ms: number) => string;
}

export interface SuppressionSettings {
  readonly time_zone: string;
  /** Looks that come later, because Lookout or a model was away, alert nobody. */
  readonly max_alert_age_seconds: number;
}

export function createSuppression({ time_zone, max_alert_age_seconds }: SuppressionSettings, silences: Silences): Suppression {
  const dayOf = createDayOf(time_zone);
  const isHour = createHours(time_zone);
  return {
    dayOf,
    reasonAgainst({ camera, rule, name, captured, from, places }, { now }) {
      if (!rule.alert) return 'rule';
      // How old a live frame is says a clock that may have been set since.
      if (from !== 'live' && now - captured > max_alert_age_seconds * 1000) return 'too_old';
      if (silences.isOn(camera.id, rule.name, now)) return 'silenced';
      if (rule.hours !== null && !isHour(rule.hours, captured)) return 'hours';
      if (rule.stationary && camera.stationary.isKnown(rule.name, name, places)) return 'stationary';
      if (camera.cooldown.isOn(rule.name, name, captured, rule.cooldown_seconds)) return 'cooldown';
      if (rule.daily_limit !== null && camera.daily.alerts(rule.name, dayOf(captured)) >= rule.daily_limit) return 'daily_limit';
      return null;
    },
    alerted({ camera, rule, name, model, captured, places }) {
      if (rule.cooldown_seconds > 0) camera.cooldown.alerted(rule.name, name, captured);
      if (rule.daily_limit !== null) camera.daily.alerted(rule.name, dayOf(captured));
      if (rule.stationary) camera.stationary.alerted(rule.name, name, model, places);
    },
  };
}
