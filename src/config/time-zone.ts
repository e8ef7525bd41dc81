/** Which time zones are known here, and whether the host's is told as it is meant. */
import { realpathSync } from 'node:fs';

export function isTimeZone(text: string): boolean {
  return nameOf(text) !== null;
}

/** Where times would be told otherwise than the environment's TZ means them. */
export interface ZoneTrouble {
  /** How they would be told. */
  readonly told: string;
  /** What to set instead. */
  readonly instead: string;
}

/**
 * null: nothing is wrong with the zone that `system` would mean. The C library knows more forms of TZ than Node, which
 * takes some for UTC and some, such as `/etc/localtime`, for the zone's winter.
 */
export function hostZoneTrouble(setting: unknown, { TZ = '' }: NodeJS.ProcessEnv): ZoneTrouble | null {
  if (setting !== 'system' || TZ === '') return null;
  const meant = nameOf(zoneIn(TZ.replace(/^:/, '')));
  const [winter, summer] = moments().map(hostDifference);
  const isMeant = meant === null ? winter !== UTC || NO_DIFFERENCE.test(TZ) : String(moments().map((at) => differenceOf(meant, at))) === String([winter, summer]);
  if (isMeant) return null;
  return { told: winter === UTC ? 'UTC' : `${winter ?? ''} all the year`, instead: meant ?? 'a name such as Asia/Kolkata' };
}

const UTC = 'UTC+00:00';
/** As POSIX writes UTC. */
const NO_DIFFERENCE = /^:?[a-z]{3,}[+-]?0+$/i;

/** The name that a path of the zones' files has, through links such as `/etc/localtime`. */
function zoneIn(text: string): string {
  return (text.startsWith('/') ? linkedTo(text) : text).replace(/^.*\/zoneinfo\//, '').replace(/^(?:posix|right)\//, '');
}

function linkedTo(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    // There is none.
    return path;
  }
}

function nameOf(text: string): string | null {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone;
  } catch {
    // Intl has no other way to say that it does not know a zone.
    return null;
  }
}

/** In January and in July. */
function moments(): readonly Date[] {
  return [0, 6].map((month) => new Date(Date.UTC(new Date().getUTCFullYear(), month, 1)));
}

/** Intl says GMT+05:30, and in some versions GMT alone where there is no difference. */
function differenceOf(timeZone: string, at: Date): string {
  const parts = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' }).formatToParts(at);
  return `UTC${parts.find(({ type }) => type === 'timeZoneName')?.value.replace('GMT', '') || '+00:00'}`;
}

/** As Date has it: Intl's own depends on which zones it was asked about before. */
function hostDifference(at: Date): string {
  const minutes = -at.getTimezoneOffset();
  const two = (number: number): string => String(Math.abs(Math.trunc(number))).padStart(2, '0');
  return `UTC${minutes < 0 ? '-' : '+'}${two(minutes / 60)}:${two(minutes % 60)}`;
}

/** The host's zone in words: its name, or its difference where it has none. */
export function hostZone(): string {
  // None, whatever its type says, or one of Intl's own making, where TZ is a form without a name.
  const name = new Intl.DateTimeFormat().resolvedOptions().timeZone as string | undefined;
  return name === undefined || /^(?:(?:GMT)?[+-].*|Etc\/Unknown)$/.test(name) ? hostDifference(new Date()) : name;
}
