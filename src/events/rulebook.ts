/** The rules of events: as lookout.yaml has them, and as they were changed since, until the restart. */
import { LookoutError } from '../errors.ts';
import type { EventRule, Json } from '../types.ts';

export interface Rulebook {
  /** Those that were not changed are the same objects as before. */
  list(): readonly EventRule[];
  /** Throws not_found. */
  get(name: string): EventRule;
  /** What is null is again as lookout.yaml says. Throws not_found, bad_request. */
  change(name: string, change: RuleChange): EventRule;
}

export type RuleChange = Readonly<Record<string, Json | undefined>>;

/** `faultOf`: what is wrong with a rule, in words; null: nothing. `changed` is told when one has become another. */
export function createRulebook(configured: readonly EventRule[], faultOf: (rule: object) => string | null, changed: () => void): Rulebook {
  const original = new Map(configured.map((rule) => [rule.name, rule]));
  const current = new Map(original);

  function of(rules: ReadonlyMap<string, EventRule>, name: string): EventRule {
    const rule = rules.get(name);
    if (!rule) throw new LookoutError('not_found', `No rule "${name}"; ${rules.size === 0 ? 'there are none' : `rules are ${[...rules.keys()].join(', ')}`}.`);
    return rule;
  }

  return {
    list: () => [...current.values()],
    get: (name) => of(current, name),
    change(name, change) {
      const before: Readonly<Record<string, unknown>> = { ...of(original, name) };
      if (Object.keys(change).length === 0) throw new LookoutError('bad_request', 'The body must say what is to be another.');
      if (change['name'] !== undefined && change['name'] !== name) throw new LookoutError('bad_request', 'name must stay what it is: a rule of another name stands in lookout.yaml.');
      const asked = Object.fromEntries(Object.entries(change).map(([option, value]) => [option, value ?? before[option]]));
      const rule = { ...of(current, name), ...asked };
      const fault = faultOf(rule);
      if (fault !== null) throw new LookoutError('bad_request', `${fault}.`);
      current.set(name, rule);
      changed();
      return rule;
    },
  };
}
