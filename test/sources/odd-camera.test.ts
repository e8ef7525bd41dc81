/** Cameras with peculiarities, as the demo camera behind a relay. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDemoCamera, type DemoCamera } from '../../src/demo/index.ts';
import { startRtspRelay, type RtspRelay } from '../helpers/rtsp-relay.ts';
import { capture, firstFrames, never } from './streams.ts';

const street = { kind: 'scene', width: 320, height: 180, fps: 12, keyframe_seconds: 1 } as const;

let camera: DemoCamera;
const relays: RtspRelay[] = [];
beforeAll(async () => {
  camera = await startDemoCamera({ cameras: { street, rare: { ...street, keyframe_seconds: 5 }, eighth: { ...street, fps: 1 / 8, keyframe_seconds: 8 } } }, never);
});
afterAll(async () => {
  for (const { close } of relays) close();
  await camera.close();
});

async function relay(path: string, describe?: (sdp: string) => string): Promise<RtspRelay> {
  const started = await startRtspRelay(camera.url(path), describe);
  relays.push(started);
  return started;
}

describe.concurrent('a capture', () => {
  it('takes leave of the camera before it goes', async () => {
    const { url, methods } = await relay('street');
    const running = capture(url, { interval_seconds: 1 })[Symbol.asyncIterator]();
    await running.next();
    const began = performance.now();
    await running.return();
    expect(performance.now() - began).toBeLessThan(1000);
    // It may be gone before its last words were read here.
    await expect.poll(() => methods.at(-1)).toBe('TEARDOWN');
  });

  it('asks for the video alone of a camera that has sound', async () => {
    const { url, methods } = await relay('street', (sdp) => `${sdp}m=audio 0 RTP/AVP 0\r\na=control:trackID=1\r\n`);
    await firstFrames(capture(url, { interval_seconds: 1 }), 2);
    expect(methods.filter((method) => method === 'SETUP')).toHaveLength(1);
  });

  it.each(['auto', 'all'] as const)('shows a camera whose description says nothing of its pictures, capture mode %s', async (capture_mode) => {
    // So that it is running, and joined between two key frames.
    await firstFrames(capture(camera.url('rare')), 1);
    const { url } = await relay('rare', (sdp) => sdp.replace(/sprop-parameter-sets=[^;\r]+;?/, ''));
    await expect(firstFrames(capture(url, { interval_seconds: 1, capture_mode }), 2)).resolves.toMatchObject([{ width: 320, mode: 'all' }, { width: 320, mode: 'all' }]);
  });

  it('waits for a camera that sends a picture every 8 s', async () => {
    await expect(firstFrames(capture(camera.url('eighth'), { interval_seconds: 1, capture_mode: 'all' }), 3)).resolves.toHaveLength(3);
  });
});
