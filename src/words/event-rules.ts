/** What a rule of events may say, as JSON Schema: one range for lookout.yaml and requests. */
import type { Config, EventRule, StreamOptions } from '../types.ts';

const TEXTS = { type: ['array', 'null'], items: { type: 'string', minLength: 1 }, minItems: 1 } as const;

/** One item of `events:` in lookout.yaml. */
export const EVENT_RULE = {
  type: 'object',
  required: ['name'],
  additionalProperties: false,
  properties: {
    name: { description: 'Stands in its events.', type: 'string', format: 'rule-name' },
    cameras: { ...TEXTS, description: 'Whose looks make events; null: of all.' },
    models: { ...TEXTS, description: 'Likewise.' },
    sections: { ...TEXTS, description: 'Likewise; null: with models all of theirs, else those that count as a complaint.' },
    classes: { ...TEXTS, description: 'Likewise.' },
    confidence: { description: 'Findings below are none.', type: 'number', minimum: 0, maximum: 1 },
    min_frames: {
      description: 'An event begins once so many (seen) of the last frames (of) that a model looked at show it.',
      type: 'object',
      required: ['seen', 'of'],
      additionalProperties: false,
      properties: { seen: { type: 'integer', minimum: 1, maximum: 100 }, of: { type: 'integer', minimum: 1, maximum: 100 } },
    },
    quiet_looks: { description: 'It ends once so many looks in a row found nothing, and quiet_seconds are over.', type: 'integer', minimum: 1, maximum: 100 },
    quiet_seconds: { description: 'Without it being seen, see quiet_looks; null: three times the interval, 10 s at the least.', type: ['number', 'null'], minimum: 0, maximum: 86_400 },
    max_gap_seconds: { description: 'It ends when nobody could look for so long; for three times the interval at the least.', type: 'number', minimum: 1, maximum: 86_400 },
    max_seconds: { description: 'What lasts longer goes on as another event.', type: 'number', minimum: 10, maximum: 604_800 },
    alert: { description: 'false: its events are logged and alert nobody.', type: 'boolean' },
    cooldown_seconds: { description: 'After an alert of the rule, camera and class there is none for so long.', type: 'number', minimum: 0, maximum: 604_800 },
    hours: { description: 'Cron expression of the minutes in which it alerts, in time_zone; null: all.', type: ['string', 'null'], format: 'cron' },
    daily_limit: { description: 'Alerts of a camera in a day of time_zone; null: any number.', type: ['integer', 'null'], minimum: 1, maximum: 100_000 },
    stationary: { description: 'What stays where it has alerted alerts no more.', type: 'boolean' },
    clips: { description: 'Those that alert have a clip; so have those of a stream with the option clips.', type: 'boolean' },
    pre_roll_seconds: { description: 'A clip begins so long before the event was first seen.', type: 'number', minimum: 0, maximum: 60 },
    post_roll_seconds: { description: 'It ends so long after it was last seen.', type: 'number', minimum: 0, maximum: 60 },
    clip_max_seconds: { description: 'It ends after so long, however long the event lasts.', type: 'number', minimum: 1, maximum: 600 },
  },
} as const;

export type GivenRule = { readonly [Name in keyof EventRule]?: EventRule[Name] | undefined } & Pick<EventRule, 'name'>;

const USUAL: Omit<EventRule, 'name'> = {
  cameras: null, models: null, sections: null, classes: null, confidence: 0, min_frames: { seen: 1, of: 1 },
  quiet_looks: 3, quiet_seconds: null, max_gap_seconds: 300, max_seconds: 3600,
  alert: true, cooldown_seconds: 0, hours: null, daily_limit: null, stationary: false,
  clips: false, pre_roll_seconds: 5, post_roll_seconds: 5, clip_max_seconds: 120,
};

/** With what it does not say. */
export function ruleOf({ name, ...given }: GivenRule): EventRule {
  const said = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<EventRule>;
  return { name, ...USUAL, ...said };
}

/** Where none are given: every complaint is an event, and alerts. */
const USUAL_RULES: readonly EventRule[] = [ruleOf({ name: 'complaints' })];

/** Those of lookout.yaml; null: it has none, and the usual ones hold. */
export const rulesOf = (events: Config['events']): readonly EventRule[] => events?.map(ruleOf) ?? USUAL_RULES;

/** How late a look may come for the clip to begin where it should. */
const LATE_SECONDS = 10;
/** Likewise for the frames that min_frames asks for: a clip of what takes longer begins later. Pictures without an interval are thought to come each second. */
const LONGEST_WAIT_SECONDS = 60;

/** `isAsked`: the stream of the camera asks for clips itself. */
export const wantsClips = ({ alert, clips, cameras }: EventRule, cameraId: string, isAsked: boolean): boolean => alert && (clips || isAsked) && (cameras === null || cameras.includes(cameraId));

/** The seconds of a camera that are kept so that clips of its events can begin in time; null: none of its events has any. */
export function keptSeconds(rules: readonly EventRule[], cameraId: string, { clips, interval_seconds }: Pick<StreamOptions, 'clips' | 'interval_seconds'>): number | null {
  const own = rules.filter((rule) => wantsClips(rule, cameraId, clips));
  const waits = ({ min_frames: { seen, of } }: EventRule): number => (seen === 1 ? 0 : Math.min(LONGEST_WAIT_SECONDS, (of - 1) * (interval_seconds === 0 ? 1 : interval_seconds)));
  return own.length === 0 ? null : Math.max(...own.map((rule) => rule.pre_roll_seconds + waits(rule))) + LATE_SECONDS;
}

export const isRuleName = (text: string): boolean => /^[a-z0-9][a-z0-9_-]{0,63}$/.test(text);

/** What the schema cannot say of rules that stand together; null: nothing is wrong. */
export function rulesFault(rules: readonly GivenRule[]): string | null {
  const names = rules.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined) return `two rules are named ${twice}`;
  const never = rules.find(({ min_frames: { seen, of } = USUAL.min_frames }) => seen > of);
  if (never) return `min_frames of the rule ${never.name}: seen is more than of`;
  const short = rules.map(ruleOf).find(({ pre_roll_seconds, post_roll_seconds, clip_max_seconds }) => clip_max_seconds < pre_roll_seconds + post_roll_seconds);
  return short ? `clip_max_seconds of the rule ${short.name}: shorter than pre_roll_seconds and post_roll_seconds together` : null;
}
