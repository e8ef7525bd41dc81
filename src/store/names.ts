/** Names of sessions, frames and batches on disk, and of what lies beside them in the spool. */
import { createHash, randomBytes } from 'node:crypto';

/** File names may have 255 bytes; what is added to a camera's name takes up to 80. */
const LONGEST_NAME = 170;

/**
 * Percent-encodes all but `A-Z a-z 0-9 . _ -`, so that any camera id is one safe file name. Ids that would be too long
 * for one are cut and end in a hash.
 */
export function safeName(text: string): string {
  const name = [...Buffer.from(text, 'utf8')]
    .map((byte) => {
      const char = String.fromCharCode(byte);
      return /[A-Za-z0-9._-]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
  if (name.length <= LONGEST_NAME) return name;
  return `${name.slice(0, LONGEST_NAME - 17)}~${createHash('sha256').update(text).digest('hex').slice(0, 16)}`;
}

export const SESSION_FILE = 'session.json';
export const LATEST_FILE = 'latest.jpg';

/** `<camera>_<8 hex>`: the folder of one session's frames. */
export function sessionName(cameraId: string): string {
  return `${safeName(cameraId)}_${randomBytes(4).toString('hex')}`;
}

export const isSessionFolder = (name: string): boolean => /_[0-9a-f]{8}$/.test(name);

/** A session's folder before it has its name, and while it is removed. */
export const draftFolder = (session: string): string => `${session}.tmp`;
export const isDraftFolder = (name: string): boolean => /_[0-9a-f]{8}\.tmp$/.test(name);

/** What may go when nothing else is left in a session's folder. */
export const isSpare = (file: string): boolean => file === SESSION_FILE || file === LATEST_FILE || file.endsWith(TICK_ENDING) || file.endsWith(FINDINGS_ENDING) || isUnfinished(file);
/** Not a file yet. */
export const isUnfinished = (file: string): boolean => file.endsWith('.tmp');

/**
 * `<camera>_<YYYYMMDDTHHMMSSffffffZ>.jpg`. Behind the milliseconds stands the round: a clock that is set back shows times
 * for a second time.
 */
export function frameFile(cameraId: string, captured_at: string, round = 0): string {
  return `${safeName(cameraId)}_${compactTime(captured_at, round)}.jpg`;
}

/**
 * `<session>-<time of its first frame>`, as that is named. The time rather than a running number, so that frames which a
 * crash left without a manifest get an id that no earlier batch of the session can have had.
 */
export function batchId(session: string, firstKey: string): string {
  return `${session}-${firstKey.slice(firstKey.lastIndexOf('_') + 1, -'.jpg'.length)}`;
}

/** `<camera>_<YYYYMMDDTHHMMSSffffffZ>_<8 hex>`: two may begin with the same picture. */
export function clipId(cameraId: string, begins_at: string): string {
  return `${safeName(cameraId)}_${compactTime(begins_at)}_${randomBytes(4).toString('hex')}`;
}

function compactTime(time: string, round = 0): string {
  return time.replace(/[-:.]/g, '').replace('Z', `${String(round).padStart(3, '0')}Z`);
}

/** Beside a frame: what its camera says that it has seen in it. */
export const findingsFile = (frame: string): string => `${frame.slice(0, -'.jpg'.length)}${FINDINGS_ENDING}`;
const FINDINGS_ENDING = '.findings.json';

/** The capture time that a frame's file name holds; null for other names. */
export function capturedAt(file: string): string | null {
  const match = /_(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})\d{3,}Z\.jpg$/.exec(file);
  if (!match) return null;
  const [, year, month, day, hour, minute, second, ms] = match;
  return `${year ?? ''}-${month ?? ''}-${day ?? ''}T${hour ?? ''}:${minute ?? ''}:${second ?? ''}.${ms ?? ''}Z`;
}

export const manifestFile = (batch: string): string => `${batch}.json`;
export const recordFile = (batch: string): string => `${batch}.record.json`;
/** An earlier version left it beside the manifest: the log has the batch's record. */
export const tickFile = (batch: string): string => `${batch}${TICK_ENDING}`;
const TICK_ENDING = '.json.done';

export function isManifest(session: string, file: string): boolean {
  return file.startsWith(`${session}-`) && file.endsWith('.json') && !file.endsWith('.record.json') && !file.endsWith(FINDINGS_ENDING);
}
