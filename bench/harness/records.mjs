/** Records as Lookout makes them, with real pictures in them. */
import { readFile } from 'node:fs/promises';
import { enrich } from '../../dist/record/enrich.js';

const IDENTITY = { version: '1.0.0', runtime: 'node', detector: 'bench', fingerprint: '0123456789abcdef', code: 'fedcba9876543210' };
const SETTINGS = { record_format: 'v1', record_when: 'always', time_zone: 'UTC' };

/** Answers `record(n)`: the batch of ten frames that ended n times 30 s after the first, with one of the pictures, if there are any. */
export async function recordMaker(pictures, session) {
  const jpegs = await Promise.all(pictures.map(async ({ file, width, height }) => ({ width, height, jpeg: await readFile(file) })));
  return (n) => {
    const snapshot = jpegs.length === 0 ? null : { index: 0, ...jpegs[n % jpegs.length] };
    const { width, height } = snapshot ?? { width: 1920, height: 1080 };
    const frames = Array.from({ length: 10 }, (_, index) => {
      const captured_at = new Date(Date.UTC(2025, 0, 1) + (n * 10 + index) * 3000).toISOString();
      return { key: `${session}/${session}_${captured_at}.jpg`, captured_at, width, height };
    });
    const looks = frames.map(() => ({ detections: [{ class: 'dog', confidence: 0.5, box: [10, 10, 90.5, 80] }], inference_ms: 160, identity: IDENTITY }));
    return enrich({
      batch: { id: `${session}-${n}`, camera_id: 'BENCH', session, closed_by: 'count', frames, models: ['animals'], attempts: 1 },
      answers: { animals: looks },
      models: { animals: { section: 'stray_animal' } },
      camera: { id: 'BENCH', latitude: 24.5, longitude: 81.3 },
      host_ip: '192.0.2.1', settings: SETTINGS, snapshot, damaged: [],
    });
  };
}
