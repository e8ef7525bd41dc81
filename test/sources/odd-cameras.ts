/** Cameras with peculiarities, as the demo camera behind a relay. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { faultOf, startDemoCamera, type DemoCamera } from '../../src/demo/index.ts';
import type { Relay } from '../../src/demo/relay.ts';
import { onRtp } from '../../src/demo/rtp.ts';
import type { CapturedFrame, StreamOptions } from '../../src/types.ts';
import { readBinaryClocks } from '../helpers/binary-clock.ts';
import { startRtspRelay, type RtspChanges } from '../helpers/rtsp-relay.ts';
import { captureFrames } from '../../src/sources/ffmpeg/capture.ts';
import { canUse, capture as captureByFfmpeg, captureRtsp, closeSources, type Engine, failureOf, firstFrames, inFolder, inWords, jpegOf, never, PICTURES, streamOf } from './streams.ts';

const street = { kind: 'scene', width: 320, height: 180, fps: 12, keyframe_seconds: 1 } as const;

/** What an engine makes of cameras that are not as others. */
export function oddCameras(engine: Engine): void {
  let folder: string;
  let camera: DemoCamera;
  const relays: Relay[] = [];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lookout-odd-'));
    camera = await startDemoCamera({ cameras: { street: { ...street, clock: true }, rare: { ...street, keyframe_seconds: 5 }, clock: { ...street, keyframe_seconds: 4, clock: true }, seconds: { ...street, fps: 1, keyframe_seconds: 4, clock: true }, rarest: { ...street, keyframe_seconds: 25 }, sixth: { ...street, fps: 1 / 6, keyframe_seconds: 6 }, resized: { kind: 'clip', file: await twoSizes() }, varying: { kind: 'clip', file: await varying() } } }, never);
  });
  afterAll(async () => {
    await Promise.all([closeSources(), ...relays.map(({ close }) => close())]);
    await camera.close();
    await rm(folder, { recursive: true });
  });

  /** A clip whose second half is larger. */
  async function twoSizes(): Promise<string> {
    const halves = await Promise.all(['320x180', '480x270'].map(async (size, half) => {
      const file = join(folder, `${size}.ts`);
      await promisify(execFile)('ffmpeg', [
        '-v', 'error', '-f', 'lavfi', '-i', `testsrc=s=${size}:r=10:d=4`, '-pix_fmt', 'yuv420p', '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '10', '-bf', '0', '-output_ts_offset', String(half * 4), file,
      ]);
      return readFile(file);
    }));
    const file = join(folder, 'two-sizes.ts');
    await writeFile(file, Buffer.concat(halves));
    return file;
  }

  /** A clip with rare key frames in its first half. */
  async function varying(): Promise<string> {
    const file = join(folder, 'varying.ts');
    const keys = 'expr:if(lt(t,14),gte(t,n_forced*7),1-mod(n,10))';
    await promisify(execFile)('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=s=160x90:r=10:d=30', '-pix_fmt', 'yuv420p', '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '1000', '-sc_threshold', '0', '-force_key_frames', keys, '-bf', '0', file]);
    return file;
  }

  async function relay(path: string, changes?: RtspChanges): Promise<Relay> {
    const started = await startRtspRelay(camera.url(path), changes);
    relays.push(started);
    return started;
  }

  describe.skipIf(!canUse(engine)).concurrent(`a capture by ${inWords(engine)}`, () => {
    const capture = (url: string, options: Partial<StreamOptions> = {}, signal: AbortSignal = never): AsyncGenerator<CapturedFrame, void> => (
      engine === 'ffmpeg' ? captureByFfmpeg(url, options, signal) : captureRtsp(url, options, { engine, signal }));

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
      const { url, methods } = await relay('street', { describe: (sdp) => `${sdp}m=audio 0 RTP/AVP 0\r\na=control:trackID=1\r\n` });
      await firstFrames(capture(url, { interval_seconds: 1 }), 2);
      expect(methods.filter((method) => method === 'SETUP')).toHaveLength(1);
    });

    it.each(['auto', 'all'] as const)('shows a camera whose description says nothing of its pictures, capture mode %s', async (capture_mode) => {
      // So that it is running, and joined between two key frames.
      await firstFrames(capture(camera.url('rare')), 1);
      const { url } = await relay('rare', { describe: (sdp) => sdp.replace(/sprop-parameter-sets=[^;\r]+;?/, '') });
      await expect(firstFrames(capture(url, { interval_seconds: 1, capture_mode }), 2)).resolves.toMatchObject([{ width: 320 }, { width: 320 }]);
    });

    it('takes a camera that says nothing of its pictures by its key frames, where they come often enough', async () => {
      await firstFrames(capture(camera.url('street')), 1);
      const { url } = await relay('street', { describe: (sdp) => sdp.replace(/sprop-parameter-sets=[^;\r]+;?/, '') });
      await expect(firstFrames(capture(url, { interval_seconds: 1 }), 3)).resolves.toMatchObject(Array(3).fill({ width: 320, mode: 'keyframes' }));
    });

    // The other engine needs no new connection for that: sources/feeds/chooser.
    it.runIf(engine === 'ffmpeg')('goes back to key frames when they come often enough again', async () => {
      const modes: string[] = [];
      const running = inFolder((own) => captureFrames({ stream: streamOf(camera.url('varying'), { interval_seconds: 1 }), settings: PICTURES, folder: own, realTime: false }, never, 3000));
      for await (const { mode, missed } of running) {
        expect(missed).toBe(0);
        if (modes.at(-1) !== mode) modes.push(mode);
        if (modes.length > 1 && mode === 'keyframes') break;
      }
      expect(modes.slice(-2)).toEqual(['all', 'keyframes']);
    });

    it('waits for a key frame as long as the camera shows that it lives', async () => {
      await firstFrames(capture(camera.url('rarest'), { capture_mode: 'keyframes' }), 1);
      await sleep(3000);
      await expect(firstFrames(capture(camera.url('rarest'), { interval_seconds: 1 }), 2)).resolves.toMatchObject([{ mode: 'all' }, { mode: 'all' }]);
    });

    it('shows a camera that is a little wrong in every key frame', async () => {
      const { url, become } = await relay('street');
      await become({ packets: () => onRtp((rtp) => {
        const isEnd = rtp.continuesKeyFrame && ((rtp.bytes[17] ?? 0) & 0x40) !== 0;
        return [isEnd ? rtp.bytes.fill(0x55, Math.max(18, rtp.bytes.length - 30)) : rtp.bytes];
      }) });
      await expect(firstFrames(capture(url, { interval_seconds: 1 }), 2)).resolves.toHaveLength(2);
    });

    it('shows nothing of a camera of whose key frames the greater part is lost', async () => {
      const { url, become } = await relay('street');
      await become(faultOf('half-key-frames'));
      const frames: CapturedFrame[] = [];
      const error = await failureOf(noted(capture(url, { interval_seconds: 1 }), (frame) => frames.push(frame)));
      expect(frames).toEqual([]);
      expect(error).toMatchObject({ code: 'stream_stalled', message: expect.stringMatching(/^no picture came: nothing for 1[56] s; \d+ came damaged/) as string });
    });

    it('waits for a camera that sends a picture every 6 s', async () => {
      await expect(firstFrames(capture(camera.url('sixth'), { interval_seconds: 1, capture_mode: 'all' }), 3)).resolves.toHaveLength(3);
    });

    it.each(['auto', 'keyframes', 'all'] as const)('knows the age of pictures that a camera had kept for it, capture mode %s', async (capture_mode) => {
      await firstFrames(capture(camera.url('clock'), { capture_mode: 'keyframes' }), 1);
      const { url } = await relay('clock', { keptBackMs: 5500 });
      expect(Math.max(...await errorsMs(await firstFrames(capture(url, { capture_mode }), 2)))).toBeLessThanOrEqual(500);
    });

    it.each(['auto', 'all'] as const)('knows when the pictures of a camera came that sends one a second, capture mode %s', async (capture_mode) => {
      // The camera itself draws its first pictures ahead. It is joined between two key frames.
      await firstFrames(capture(camera.url('seconds'), { interval_seconds: 4, capture_mode: 'keyframes' }), 4);
      await sleep(1500);
      expect(Math.max(...await errorsMs(await firstFrames(capture(camera.url('seconds'), { interval_seconds: 2, capture_mode }), 4)))).toBeLessThanOrEqual(500);
    });

    it.runIf(engine === 'libav').each(['keyframes', 'all'] as const)('goes on when pictures come in another size, capture mode %s', async (capture_mode) => {
      const widths = new Set<number>();
      for await (const { width } of capture(camera.url('resized'), { interval_seconds: 1, capture_mode })) {
        widths.add(width);
        if (widths.size === 2) break;
      }
      expect([...widths].sort()).toEqual([320, 480]);
    });

    it.runIf(engine === 'ffmpeg').each(['keyframes', 'all'] as const)('ends when pictures come in another size, capture mode %s', async (capture_mode) => {
      const widths: number[] = [];
      const error = await failureOf(noted(capture(camera.url('resized'), { interval_seconds: 1, capture_mode }), ({ width }) => widths.push(width)));
      expect(error).toMatchObject({ code: 'stream_ended', message: expect.stringMatching(/^the stream ended: its pictures changed from (320x180 to 480x270|480x270 to 320x180)$/) as string });
      expect(new Set(widths).size).toBe(1);
    });

    it.each([
      ['long before', (head: string) => head.replace(/rtptime=(\d+)/, (_, time: string) => `rtptime=${(Number(time) - 9_000_000 + 2 ** 32) % 2 ** 32}`)],
      ['after', (head: string) => head.replace(/rtptime=(\d+)/, (_, time: string) => `rtptime=${(Number(time) + 900_000) % 2 ** 32}`)],
      ['at 100 s of', (head: string) => head.replace('npt=now-', 'npt=100.0-')],
    ])('shows a camera that says its stream begins %s what it sends', async (_when, play) => {
      await firstFrames(capture(camera.url('street'), { interval_seconds: 1 }), 1);
      const { url } = await relay('street', { play });
      await expect(firstFrames(capture(url, { interval_seconds: 1 }), 3)).resolves.toMatchObject(Array(3).fill({ mode: 'keyframes' }));
    });

    it.each(['keyframes', 'all', 'auto'] as const)('dates pictures truly whatever the camera says of its first packet, capture mode %s', async (capture_mode) => {
      await firstFrames(capture(camera.url('street'), { interval_seconds: 1 }), 1);
      await Promise.all([-2, 0.3, 1, 3].map(async (ahead) => {
        const { url } = await relay('street', { play: (head) => head.replace(/rtptime=(\d+)/, (_, time: string) => `rtptime=${(Number(time) + ahead * 90_000 + 2 ** 32) % 2 ** 32}`) });
        const frames = await firstFrames(capture(url, { interval_seconds: 1, capture_mode }), 4);
        const errors = await errorsMs(frames);
        expect(Math.max(...errors), `${ahead} s ahead: ${errors.join(' ')}`).toBeLessThanOrEqual(500);
        const captured = frames.map(({ captured_at }) => Date.parse(captured_at));
        for (let index = 2; index < captured.length; index += 1) expect((captured[index] ?? NaN) - (captured[index - 1] ?? NaN)).toBeGreaterThan(800);
      }));
    });

    it('finds its way wherever in a long group of pictures it joins a camera', async () => {
      await firstFrames(capture(camera.url('rare'), { capture_mode: 'keyframes' }), 1);
      await Promise.all([0, 1, 2, 3, 4].map(async (seconds) => {
        await sleep(seconds * 1000);
        const frames = await firstFrames(capture(camera.url('rare'), { interval_seconds: 1 }, AbortSignal.timeout(20_000)), 2);
        expect(frames.at(-1)?.mode).toBe('all');
      }));
    });

    it('learns that key frames come often enough wherever it joins a camera', async () => {
      await firstFrames(capture(camera.url('rare'), { capture_mode: 'keyframes' }), 1);
      await Promise.all([0, 1, 2, 3, 4].map(async (seconds) => {
        await sleep(seconds * 1000);
        const { url, connections } = await relay('rare');
        await firstFrames(capture(url, { interval_seconds: 6 }), 3);
        expect(connections.inAll).toBe(1);
      }));
    });

    it.runIf(engine === 'libav').each(['auto', 'all'] as const)('goes on when the clock of a camera goes back, and dates every picture truly, capture mode %s', async (capture_mode) => {
      const { url } = await relay('street', { stamp: (timestamp, sinceMs) => (sinceMs > 4000 ? timestamp - 30 * 90_000 : timestamp) });
      expect(Math.max(...await errorsMs(await firstFrames(capture(url, { interval_seconds: 1, capture_mode }), 8)))).toBeLessThanOrEqual(500);
    });

    it.runIf(engine === 'ffmpeg').each(['auto', 'all'] as const)('ends when the clock of a camera goes back, and dates no picture by it, capture mode %s', async (capture_mode) => {
      const { url } = await relay('street', { stamp: (timestamp, sinceMs) => (sinceMs > 4000 ? timestamp - 30 * 90_000 : timestamp) });
      const agesMs: number[] = [];
      const error = await failureOf(noted(capture(url, { interval_seconds: 1, capture_mode }), ({ captured_at }) => agesMs.push(Date.now() - Date.parse(captured_at))));
      expect(error).toMatchObject({ code: 'stream_ended', message: expect.stringMatching(/the camera's clock went back by (29|30) s$/) as string });
      expect(agesMs.length).toBeGreaterThanOrEqual(2);
      expect(Math.max(...agesMs)).toBeLessThan(1500);
    });

    it.each([
      ['stand still', () => 12_345],
      ['tick in milliseconds', (timestamp: number) => Math.floor(timestamp / 90)],
    ])('gives up a camera whose time stamps %s, and says so', async (_how, stamp) => {
      const { url } = await relay('street', { stamp });
      await Promise.all((['auto', 'all'] as const).map(async (capture_mode) => {
        const error = await failureOf(capture(url, { interval_seconds: 1, capture_mode }));
        expect(error).toMatchObject({ code: 'stream_stalled', message: expect.stringMatching(/time stamps stand still$/) as string });
      }));
    });
  });
}

/** How far what is said of each picture is from what it shows. */
async function errorsMs(frames: readonly CapturedFrame[]): Promise<readonly number[]> {
  const captured = frames.map(({ captured_at }) => Date.parse(captured_at));
  const drawn = await readBinaryClocks(frames.map((frame, index) => ({ jpeg: jpegOf(frame), expectedMs: captured[index] ?? NaN })));
  return captured.map((ms, index) => Math.abs((drawn[index] ?? NaN) - ms));
}

/** The frames, each told of as it comes. */
async function* noted(frames: AsyncIterable<CapturedFrame>, note: (frame: CapturedFrame) => void): AsyncGenerator<CapturedFrame, void, void> {
  for await (const frame of frames) {
    note(frame);
    yield frame;
  }
}
