/** Moments as records tell them: the wall clock of a time zone, with its offset. */

export interface ZonedTime {
  /** `dd/mm/YYYY` */
  readonly date: string;
  /** `HH:MM:SS` */
  readonly time: string;
  /** RFC 3339 with milliseconds and the zone's offset at that moment. */
  readonly rfc3339: string;
}

/** `zone` is an IANA name; `system`: the host's. */
export function zonedTime(moment: string, zone: string): ZonedTime {
  const at = new Date(moment);
  const parts = new Map(formatOf(zone).formatToParts(at).map(({ type, value }) => [type, value]));
  const part = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? '';
  const time = `${part('hour')}:${part('minute')}:${part('second')}`;
  const milliseconds = String(at.getUTCMilliseconds()).padStart(3, '0');
  // Intl says GMT+05:30, and GMT alone where there is no difference.
  const offset = part('timeZoneName').replace('GMT', '') || '+00:00';
  return {
    date: `${part('day')}/${part('month')}/${part('year')}`,
    time,
    rfc3339: `${part('year')}-${part('month')}-${part('day')}T${time}.${milliseconds}${offset}`,
  };
}

/** Making a format costs far more than using it, and there is one zone in a process. */
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat('en-GB', {
    ...(zone === 'system' ? {} : { timeZone: zone }),
    calendar: 'gregory', numberingSystem: 'latn', hourCycle: 'h23', timeZoneName: 'longOffset',
    year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit',
  });
  formats.set(zone, made);
  return made;
}
