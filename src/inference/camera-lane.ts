/** The lane of what cameras say themselves: it came with the frame, and is answered at once. */
import type { Lane, ModelIdentity } from '../types.ts';

const identity: ModelIdentity = { version: 'as sent', runtime: 'push', detector: null, fingerprint: null, code: null };

export const cameraLane: Lane = {
  readiness: 'ready',
  isInstant: true,
  identity,
  model: null,
  warm: () => undefined,
  look: ({ findings = [] }) => Promise.resolve({ detections: findings, inference_ms: 0, identity }),
  batchClosed: () => undefined,
  hold: () => undefined,
  release: () => undefined,
  skipReason: 'late',
  status: () => ({ state: 'ready', reason: 'its answers come with the pictures', progress: null, detector: null, device: null, restarts: 0, successor: null }),
  memory: () => Promise.resolve([]),
  close: () => Promise.resolve(),
};
