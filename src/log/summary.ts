/** What the entries of one stretch of the index hold between them, so that readers who want none of it leap over it. */
import type { Facts } from './describe.ts';

/** Records stand about in order of time, not exactly: a summary is right whatever the order. */
export interface Summary {
  /** The length of its stretch, which ends where the summary stands. */
  readonly bytes: number;
  /** Of the records in the stretch, in ms since 1970; null: none has a time. */
  readonly latest: number | null;
  /** The same of them and of all before them. */
  readonly latest_so_far: number | null;
  readonly cameras: readonly string[];
  readonly models: readonly string[];
}

/** `before`: the latest time of all records before these. */
export function sumUp(entries: readonly Facts[], bytes: number, before: number | null): Summary {
  const latest = laterOf(...entries.map(({ time }) => (time === null ? null : Date.parse(time))));
  return {
    bytes,
    latest,
    latest_so_far: laterOf(latest, before),
    cameras: [...new Set(entries.map(({ camera }) => camera))],
    models: [...new Set(entries.flatMap(({ models }) => models))],
  };
}

export function encodeSummary(summary: Summary): string {
  return `${JSON.stringify(summary)}\n`;
}

/** Lines of the index that begin so are summaries. */
export const SUMMARY_BEGINS = '{';

/** null: not a whole one, or not one of what stands before `at`. */
export function decodeSummary(line: string, at: number): Summary | null {
  try {
    const value: unknown = JSON.parse(line);
    return isSummary(value) && value.bytes <= at ? value : null;
  } catch {
    // Half written.
    return null;
  }
}

function isSummary(value: unknown): value is Summary {
  if (typeof value !== 'object' || value === null) return false;
  const { bytes, latest, latest_so_far, cameras, models } = value as Readonly<Record<string, unknown>>;
  return Number.isSafeInteger(bytes) && Number(bytes) > 0 && isTime(latest) && isTime(latest_so_far) && Array.isArray(cameras) && Array.isArray(models);
}

const isTime = (value: unknown): boolean => value === null || Number.isFinite(value);

/** A text that is no time is NaN, and counts as none. */
function laterOf(...times: readonly (number | null)[]): number | null {
  return times.reduce((latest, time) => (time !== null && time > (latest ?? -Infinity) ? time : latest), null);
}
