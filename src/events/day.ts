/** The day of a time zone that a moment is in. */

const MINUTE_MS = 60_000;

/** `YYYY-MM-DD`. `zone`: an IANA name; `system`: the host's. */
export function createDayOf(zone: string): (ms: number) => string {
  // Making a format costs far more than using it.
  const format = new Intl.DateTimeFormat('en-GB', {
    ...(zone === 'system' ? {} : { timeZone: zone }), calendar: 'gregory', numberingSystem: 'latn', year: 'numeric', month: '2-digit', day: '2-digit',
  });
  const work = (ms: number): string => {
    const parts = new Map(format.formatToParts(ms).map(({ type, value }) => [type, value]));
    return `${parts.get('year') ?? ''}-${parts.get('month') ?? ''}-${parts.get('day') ?? ''}`;
  };
  // Many ask within a minute, and days begin with one.
  let known = { minute: NaN, day: '' };
  return (ms) => {
    const minute = Math.floor(ms / MINUTE_MS);
    if (minute !== known.minute) known = { minute, day: work(ms) };
    return known.day;
  };
}
