/** What a look found, by class. */
import type { Box, Detection, Frame } from '../types.ts';
import { classWord } from './class-word.ts';
import { placeOf, type Place } from './stationary.ts';

export interface Finding {
  readonly confidence: number;
  readonly box: Box | null;
  readonly place: Place | null;
}

/** The surest of each class first. */
export type Findings = ReadonlyMap<string, readonly Finding[]>;

const NONE: Findings = new Map();

export function findingsOf(detections: readonly Detection[], frame: Frame): Findings {
  if (detections.length === 0) return NONE;
  const found = new Map<string, Finding[]>();
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
