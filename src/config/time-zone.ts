/** Which time zones are known here, and whether the host's is one of them. */

export function isTimeZone(text: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: text });
    return true;
  } catch {
    // Intl has no other way to say that it does not know a zone.
    return false;
  }
}

/** What is wrong with the zone that `system` would mean, in words; null: nothing. The C library knows more forms of TZ. */
export function hostZoneTrouble(setting: unknown, { TZ = '' }: NodeJS.ProcessEnv): string | null {
  const zone = TZ.replace(/^:/, '');
  if (setting !== 'system' || zone === '' || zone.startsWith('/') || isTimeZone(zone)) return null;
  return `the environment's TZ=${TZ} is no name of a time zone, so times in records and schedules are in UTC; set time_zone to one such as Asia/Kolkata`;
}
