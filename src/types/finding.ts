/** What a model found in a frame. */
import type { Json } from './json.ts';

/** Pixels of the frame: x1, y1, x2, y2. */
export type Box = readonly [number, number, number, number];

/** Pixels of the frame: x, y. */
export type Point = readonly [number, number];

/** Run lengths as COCO has them: column by column, and the first run is outside. */
export interface Mask {
  /** Height, width. */
  readonly size: readonly [number, number];
  /** COCO's compressed text, or the lengths themselves, which add up to height times width. */
  readonly counts: string | readonly number[];
}

export interface Keypoint {
  /** Pixels of the frame. */
  readonly x: number;
  readonly y: number;
  /** 0 to 1. */
  readonly confidence?: number;
  readonly name?: string;
}

/** A finding. What a runner says beyond class and confidence is kept in the record, and bounded in size. */
export interface Detection {
  readonly class: string;
  /** 0 to 1. */
  readonly confidence: number;
  /** Absent: a classification of the whole frame. */
  readonly box?: Box;
  /** Names the thing across frames of its stream. */
  readonly track?: string | number;
  /** One ring of at least three points; the last is not the first again. What has several parts or holes is a mask. */
  readonly polygon?: readonly Point[];
  readonly mask?: Mask;
  readonly keypoints?: readonly Keypoint[];
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
  readonly embedding?: readonly number[];
  /** Whatever else the model knows. */
  readonly extra?: Json;
}
