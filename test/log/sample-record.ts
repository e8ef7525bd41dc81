/** Records as the pipeline writes them, small. */
import type { BatchRecord } from '../../src/types.ts';

export function sampleRecord(id: string, { camera = 'CAM-1', at = '2025-06-01T10:00:00.000Z', model = 'motion', picture = 'QUJD' } = {}): BatchRecord {
  const complaint_type = { stray_animal: 0, pothole: 0 };
  return {
    basic: { camID: camera, Latitude: 24.5, Longitude: 81.3, Date: '01/06/2025', timestamp: '10:00:00', IP: null, complaint_type, frame_base64: picture },
    stray_animal: null,
    pothole: null,
    schema_version: 1,
    batch: {
      id,
      session: `${camera}_01234567`,
      closed_by: 'count',
      started_at: at,
      ended_at: at,
      frames: [{ index: 0, captured_at: at, file: `${camera}_01234567/${camera}_x.jpg`, width: 640, height: 480 }],
      snapshot: { index: 0, width: 640, height: 480 },
    },
    models: {
      [model]: { version: '1', runtime: 'node', detector: 'Größe "groß" \\ [ ] { }', fingerprint: null, code: null, inference_ms: 5, error: null, looked: 1, skipped: [] },
    },
  };
}
