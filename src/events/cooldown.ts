/** When a camera alerted last, by rule and class. */

export interface Cooldown {
  alerted(rule: string, name: string, captured: number): void;
  /** Whether it alerted less than so long before, or after: the clock may have been set back, and looks may come late. */
  isOn(rule: string, name: string, captured: number, seconds: number): boolean;
  state(): readonly CooldownState[];
}

export type CooldownState = readonly [rule: string, name: string, captured: number];

/** Rules and classes: of more, those that alerted longest ago are forgotten. */
const MOST = 1000;

export function createCooldown(state: readonly CooldownState[]): Cooldown {
  const last = new Map(state.map((one) => [keyOf(one[0], one[1]), one]));
  return {
    alerted(rule, name, captured) {
      last.delete(keyOf(rule, name));
      last.set(keyOf(rule, name), [rule, name, captured]);
      const [oldest] = last.keys();
      if (last.size > MOST && oldest !== undefined) last.delete(oldest);
    },
    isOn(rule, name, captured, seconds) {
      const before = last.get(keyOf(rule, name));
      return before !== undefined && Math.abs(captured - before[2]) < seconds * 1000;
    },
    state: () => [...last.values()],
  };
}

const keyOf = (rule: string, name: string): string => `${rule}\n${name}`;
