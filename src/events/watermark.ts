/** Up to when the models of a section have looked: what is later may still change. */

/** A model that looks at a session's frames. */
export interface Line {
  /** Of its findings. */
  section: string;
  /** When the newest frame was captured that it answered for or was not asked about, and when that was heard. */
  latest: number;
  heard: number;
}

/** A model that says nothing for so long holds nothing back any more. */
export const PATIENCE_MS = 5000;

/** The least capture time of their newest frames. null: none is being asked about frames captured after `from`. */
export function watermark(lines: Iterable<Line>, section: string, from: number, monotonic: number): number | null {
  let least: number | null = null;
  for (const line of lines) {
    if (line.section !== section || line.latest < from || monotonic - line.heard >= PATIENCE_MS) continue;
    if (least === null || line.latest < least) least = line.latest;
  }
  return least;
}
