/** What a look found, by class. */
import type { Box, Detection, EventRule, Frame } from '../types.ts';
import { classWord } from './class-word.ts';
import { placeOf, type Place } from './stationary.ts';

export interface Finding {
  readonly confidence: number;
  readonly box: Box | null;
  readonly place: Place | null;
}

/** The surest of each class first. */
export type Findings = ReadonlyMap<string, readonly [Finding, ...Finding[]]>;

const NONE: Findings = new Map();

export function findingsOf(detections: readonly Detection[], frame: Frame): Findings {
  if (detections.length === 0) return NONE;
  const found = new Map<string, [Finding, ...Finding[]]>();
  for (const detection of detections) {
    const name = classWord(detection.class);
    const finding = { confidence: detection.confidence, box: detection.box ?? null, place: placeOf(detection, frame) };
    const others = found.get(name);
    if (others) others.push(finding);
    else found.set(name, [finding]);
  }
  for (const findings of found.values()) findings.sort((a, b) => b.confidence - a.confidence);
  return found;
}

/** What the rule counts of it. */
export function meets(findings: Findings, { classes, confidence }: EventRule): Findings {
  if (findings.size === 0) return findings;
  const sure = new Map<string, readonly [Finding, ...Finding[]]>();
  for (const [name, [first, ...others]] of findings) {
    if (first.confidence < confidence || (classes !== null && !classes.includes(name))) continue;
    sure.set(name, [first, ...others.filter((other) => other.confidence >= confidence)]);
  }
  return sure;
}
