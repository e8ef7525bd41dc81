/** Records as Lookout and the Flask orchestrator write them, for tests of pages and routes. */
import type { Json } from '../../src/types.ts';

/** A green JPEG of 64 x 36 pixels. */
export const PICTURE = '/9j/4AAQSkZJRgABAgAAAQABAAD//gAQTGF2YzU5LjM3LjEwMAD/2wBDAAgQEBMQExYWFhYWFhoYGhsbGxoaGhobGxsdHR0iIiIdHR0bGx0dICAiIiUmJSMjIiMmJigoKDAwLi44ODpFRVP/xABMAAEBAAAAAAAAAAAAAAAAAAAABgEBAQAAAAAAAAAAAAAAAAAAAAUQAQAAAAAAAAAAAAAAAAAAAAARAQAAAAAAAAAAAAAAAAAAAAD/wAARCAAkAEADASIAAhEAAxEA/9oADAMBAAIRAxEAPwCUAEcAAAAAAAAAAAAAAAAAAAAAB//Z';

/** `dog`: the box of the one on the snapshot. */
export function nestedRecord(id = 'CAM-001_0123abcd-0', camera = 'CAM-001', picture = PICTURE, dog: readonly number[] = [320, 180, 640, 540]): Json {
  const frames = [0, 1, 2].map((index) => ({ index, captured_at: `2026-01-31T12:00:0${index * 3}.000Z`, file: `${id}/${index}.jpg`, width: 1280, height: 720 }));
  return {
    basic: {
      camID: camera, Latitude: 37.7749, Longitude: -122.4194, Date: '31/01/2026', timestamp: '12:00:03', IP: '192.0.2.7',
      complaint_type: { stray_animal: 1, pothole: 0 }, frame_base64: picture,
    },
    stray_animal: {
      detections: [
        { class: 'dog', confidence: 0.91, box: dog, frame: 1 },
        { class: 'dog', confidence: 0.62, box: [10, 10, 50, 50], frame: 2 },
      ],
    },
    pothole: null,
    motion: { detections: [] },
    schema_version: 1,
    batch: {
      id, session: 'CAM-001_0123abcd', closed_by: 'count', started_at: '2026-01-31T12:00:00.000Z', ended_at: '2026-01-31T12:00:06.000Z',
      frames, snapshot: { index: 1, width: 640, height: 360 },
    },
    models: {
      animals: { version: '1.0.0', runtime: 'node', detector: 'embedded', fingerprint: null, code: null, inference_ms: 480, error: null, looked: 3, skipped: [] },
      motion: { version: '1.0.0', runtime: 'node', detector: null, fingerprint: null, code: null, inference_ms: 12, error: null, looked: 2, skipped: [{ frame: 2, reason: 'overloaded' }] },
      garbage: { version: '1.0.0', runtime: 'python', detector: null, fingerprint: null, code: null, inference_ms: null, error: { code: 'model_unavailable', message: 'weights are missing' }, looked: 0, skipped: [] },
    },
  };
}

/** Third generation: flat, lists by complaint, no batch. */
export function flatRecord(): Json {
  return {
    camID: 'CAM-002', Latitude: null, Longitude: null, Date: '08/10/2025 16:45:10', IP: '127.0.1.1',
    complaint_type: { stray_animal: [], pothole: [{ class: 'pothole', confidence: 0.4, box: [1, 2, 3, 4] }], garbage: [] },
    frame_base64: '',
  };
}

/** Second generation: flat, one list. */
export function secondRecord(): Json {
  return {
    camID: 'CAM-003', Latitude: 24.5, Longitude: 81.3, Date: '07/10/2025 10:00:00', IP: '127.0.1.1',
    complaint_type: { stray_animal: [{ class: 'cow', confidence: 0.7, box: [1, 2, 3, 4] }], pothole: 0 },
    frame_base64: PICTURE,
  };
}
