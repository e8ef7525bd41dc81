/** How often a camera alerted in a day, by rule, and how often it would have. */

export interface Day {
  readonly rule: string;
  /** `YYYY-MM-DD` */
  readonly day: string;
  readonly alerts: number;
  readonly suppressed: number;
  /** The last summary that was given. */
  readonly told: 'first' | 'day_end' | null;
}

export interface Daily {
  alerted(rule: string, day: string): void;
  alerts(rule: string, day: string): number;
  /** Answers the day when this is to be told: it is the first. */
  suppressed(rule: string, day: string): Day | null;
  /** A summary was given. */
  told(rule: string, day: string, when: 'first' | 'day_end'): void;
  /** So much was counted at the least. */
  atLeast(day: Day): void;
  /** Days before this one that have not been summed up and have to be. */
  over(today: string): readonly Day[];
  /** Whether a day will have to be summed up. */
  isOwed(): boolean;
  state(): readonly Day[];
}

/** Looks come late, and clocks are set. */
const MOST_DAYS = 3;
/** One after the other. */
const TOLD: readonly Day['told'][] = [null, 'first', 'day_end'];

export function createDaily(state: readonly Day[]): Daily {
  let days = state;
  const find = (rule: string, day: string): Day =>
    days.find((one) => one.rule === rule && one.day === day) ?? { rule, day, alerts: 0, suppressed: 0, told: null };

  function change(rule: string, day: string, changed: Partial<Day>): Day {
    const next = { ...find(rule, day), ...changed };
    const others = days.filter((one) => one.rule !== rule);
    days = [...others, ...[...days.filter((one) => one.rule === rule && one.day !== day), next].slice(-MOST_DAYS)];
    return next;
  }
  const isOwed = ({ suppressed, told }: Day): boolean => suppressed > 0 && told !== 'day_end';

  return {
    alerted(rule, day) {
      change(rule, day, { alerts: find(rule, day).alerts + 1 });
    },
    alerts: (rule, day) => find(rule, day).alerts,
    suppressed(rule, day) {
      const next = change(rule, day, { suppressed: find(rule, day).suppressed + 1 });
      return next.told === null ? next : null;
    },
    told(rule, day, when) {
      change(rule, day, { told: when });
    },
    atLeast({ rule, day, alerts, suppressed, told }) {
      const own = find(rule, day);
      const isFurther = TOLD.indexOf(told) > TOLD.indexOf(own.told);
      change(rule, day, { alerts: Math.max(own.alerts, alerts), suppressed: Math.max(own.suppressed, suppressed), told: isFurther ? told : own.told });
    },
    over: (today) => days.filter((one) => one.day < today && isOwed(one)),
    isOwed: () => days.some(isOwed),
    state: () => days,
  };
}
