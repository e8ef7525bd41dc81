/** Episodes of one model's looks, slowly and plainly: all looks are there, and each question is put to all of them. */

export interface PlainLook {
  /** Seconds. */
  readonly at: number;
  readonly what: '+' | '-' | 'e';
}

export interface PlainEpisode {
  readonly began: number;
  readonly seen: number;
  readonly frames: number;
  readonly ended: number | null;
  readonly ended_by: string | null;
}

export interface PlainRule {
  readonly seen: number;
  readonly of: number;
  readonly quiet_looks: number;
  readonly quiet_seconds: number;
  readonly max_gap_seconds: number;
  readonly max_seconds: number;
}

/** `until`: how late it is at the end. */
export function episodesOf(looks: readonly PlainLook[], rule: PlainRule, until: number): readonly PlainEpisode[] {
  const answered = looks.filter(({ what }) => what !== 'e');
  const episodes: PlainEpisode[] = [];
  for (let from = 0; from < answered.length;) {
    const begins = answered.findIndex((_, index) => index >= from && answered[index]?.what === '+' && windowOf(answered, from, index, rule).length >= rule.seen);
    if (begins < 0) break;
    const first = windowOf(answered, from, begins, rule)[0] ?? 0;
    const { end, next } = endOf(answered, looks, first, begins, rule, until);
    episodes.push(end);
    from = next;
  }
  return episodes;
}

/** Indexes of those of the last looks that saw it. Looks of the episode before do not count. */
function windowOf(answered: readonly PlainLook[], from: number, index: number, { of }: PlainRule): readonly number[] {
  return answered.flatMap(({ what }, other) => (other >= from && other <= index && other > index - of && what === '+' ? [other] : []));
}

function endOf(answered: readonly PlainLook[], looks: readonly PlainLook[], first: number, begins: number, rule: PlainRule, until: number): { readonly end: PlainEpisode; readonly next: number } {
  const began = answered[first]?.at ?? 0;
  for (let index = begins; index < answered.length; index += 1) {
    const sofar = answered.slice(first, index + 1);
    const sightings = sofar.filter(({ what }) => what === '+');
    const seen = sightings.at(-1)?.at ?? 0;
    const nothing = sofar.filter(({ at }) => at > seen);
    const now = answered[index]?.at ?? 0;
    const episode = { began, seen, frames: sightings.length };
    if (nothing.length >= rule.quiet_looks && now - seen >= rule.quiet_seconds) return { end: { ...episode, ended: now, ended_by: 'quiet' }, next: index + 1 };
    // A frame that nobody answered for tells as well how late it is.
    const later = looks.find(({ at }) => at > now + rule.max_gap_seconds)?.at ?? until;
    const after = answered[index + 1];
    if ((after?.at ?? Infinity) > now + rule.max_gap_seconds) {
      const isOver = later > now + rule.max_gap_seconds;
      return { end: { ...episode, ended: isOver ? now + rule.max_gap_seconds : null, ended_by: isOver ? 'not_looked' : null }, next: index + 1 };
    }
    if (after?.what === '+' && after.at - began >= rule.max_seconds) return { end: { ...episode, ended: seen, ended_by: 'max_seconds' }, next: index + 1 };
  }
  throw new Error('the last look has one after it, or none');
}
