/** Small parts that records are made from in tests. */
import type { EnrichInput } from '../../src/record/enrich.ts';
import { USUAL_STREAM_OPTIONS } from '../../src/words/stream-options.ts';
import type { Answers, Batch, Detection, Look, ModelIdentity, SkipReason } from '../../src/types.ts';

export const identity: ModelIdentity = { version: '1.0.0', runtime: 'node', detector: 'centernet', fingerprint: 'f00d', code: 'c0de' };

export const dog: Detection = { class: 'dog', confidence: 0.876549, box: [10, 20.5, 110, 220] };

/** Says everything that a finding may. */
export const person: Detection = {
  class: 'person', confidence: 0.75, box: [10, 20.5, 110, 220], track: 'p-7', polygon: [[10, 20.5], [110, 20.5], [110, 220]],
  mask: { size: [4, 5], counts: [6, 2, 2, 2, 8] }, keypoints: [{ x: 50, y: 40.25, confidence: 0.5, name: 'nose' }, { x: 55, y: 60 }],
  attributes: { colour: 'red', bags: 2, running: true }, embedding: [0.125, -3], extra: { plate: ['AB', null], sure: false },
};

/** Says nothing of where: the whole frame is meant. */
export const fog: Detection = { class: 'fog', confidence: 0.9 };

/** A look at a frame for each list of detections, or text of an error, given; 12 ms in all. */
export function answer(...frames: readonly (readonly Detection[] | string)[]): readonly Look[] {
  const inference_ms = 12 / frames.filter((frame) => typeof frame !== 'string').length;
  return frames.map((frame) => (
    typeof frame === 'string' ? { error: { code: 'bad_frame', message: frame }, identity } : { detections: frame, inference_ms, identity }));
}

/** Of both frames. */
export function failure(code = 'runner_failed'): readonly Look[] {
  const look: Look = { error: { code, message: 'took too long' }, identity };
  return [look, look];
}

export function skipped(...reasons: readonly SkipReason[]): readonly Look[] {
  return reasons.map((reason) => ({ skipped: reason, identity }));
}

/** Two frames, three seconds apart. */
export function batchOf(models: readonly string[], first = '2026-07-01T12:00:00.250Z'): Batch {
  const times = [first, new Date(Date.parse(first) + 3000).toISOString()];
  return {
    id: 'CAM-1_0a1b2c3d-20260701T120000250000Z',
    camera_id: 'CAM-1',
    session: 'CAM-1_0a1b2c3d',
    closed_by: 'count',
    frames: times.map((captured_at, sequence) => ({
      key: `CAM-1_0a1b2c3d/CAM-1_${captured_at.replace(/[-:.]/g, '').replace('Z', '000Z')}.jpg`, captured_at, sequence, width: 640, height: 360,
    })),
    models,
    options: USUAL_STREAM_OPTIONS,
    attempts: 0,
  };
}

/** What `enrich` is given, with the answers' models asked and each in the section named. */
export function input(
  answers: Answers, sections: Readonly<Record<string, string | null>> = {}, more: Partial<EnrichInput> = {},
): EnrichInput {
  return {
    batch: batchOf(Object.keys(answers)),
    answers,
    models: Object.fromEntries(Object.entries(sections).map(([name, section]) => [name, { section }])),
    camera: { id: 'CAM-1', latitude: 26.4499, longitude: 80.3319 },
    host_ip: '192.0.2.1',
    settings: { record_format: 'v1', record_when: null, time_zone: 'UTC' },
    damaged: [],
    snapshot: { index: 0, width: 640, height: 360, jpeg: new Uint8Array([0xff, 0xd8, 0xff, 0xd9]) },
    ...more,
  };
}
