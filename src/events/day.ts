/** The day of a time zone that a moment is in. */

/** `YYYY-MM-DD`. `zone`: an IANA name; `system`: the host's. */
export function createDayOf(zone: string): (ms: number) => string {
  // Making a format costs far more than using it.
  const format = new Intl.DateTimeFormat('en-GB', {
    ...(zone === 'system' ? {} : { timeZone: zone }), calendar: 'gregory', numberingSystem: 'latn', year: 'numeric', month: '2-digit', day: '2-digit',
  });
  return (ms) => {
    const parts = new Map(format.formatToParts(ms).map(({ type, value }) => [type, value]));
    return `${parts.get('year') ?? ''}-${parts.get('month') ?? ''}-${parts.get('day') ?? ''}`;
  };
}
