/** Cameras that speak RTSP, plain or over TLS: read by capture hosts, or each by an ffmpeg. */
import { LookoutError } from '../errors.ts';
import { wallTimeOf } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { boundsOf } from '../lib/reach.ts';
import type { CapturedFrame, Config, SettingSchemas, Source, StreamSpec } from '../types.ts';
import { createAudiences } from './feeds/audiences.ts';
import { feedFrames, requestOf, ringSeconds, type FeedSettings, type VideoSettings } from './feeds/frames.ts';
import type { FeedVideo } from './feeds/host-process.ts';
import { createHosts } from './feeds/hosts.ts';
import { createSelfTest } from './feeds/self-test.ts';
import { captureFrames } from './ffmpeg/capture.ts';
import type { FfmpegSettings } from './ffmpeg/source.ts';
import { knock } from './peer/knock.ts';
import { wayTo } from './rtsp/way.ts';

export const summary = 'cameras that speak RTSP, plain or over TLS';
export const schemes = ['rtsp', 'rtsps'];

/** Until a host has made a first picture of 1080p, with a margin for what runs already. */
const HOST_MS = 80;

/** Of the qualities that libav's encoder has. */
const FINEST = 95;

export const settings = {
  pre_roll_seconds: {
    description: 'Seconds of video that streams with the option clips keep in memory, from a key frame on.',
    type: 'number', minimum: 1, maximum: 60, default: 10,
  },
  capture_host_max_bytes: {
    description: 'Of memory: a process that captures some cameras by libav and has grown beyond it is replaced.',
    type: 'integer', minimum: 200_000_000, default: 1_000_000_000,
  },
} as const satisfies SettingSchemas;

type RtspSettings = FfmpegSettings & Pick<Config, 'capture_engine'> & VideoSettings & { readonly capture_host_max_bytes: number };

export function create({ config, log, rules }: { readonly config: RtspSettings; readonly log: Log } & Pick<FeedSettings, 'rules'>): Source {
  const settings: FeedSettings = { ...config, rules };
  const hosts = createHosts(config.capture_host_max_bytes, log);
  const audiences = createAudiences();
  /** Cameras that are captured so now. */
  const byFfmpeg = new Set<string>();
  const byHosts = new Map<string, StreamSpec>();
  const whyNot = createSelfTest();

  /** Asked with the first camera. Throws where libav was demanded and is not to be had. */
  async function usesLibav({ options }: StreamSpec): Promise<boolean> {
    // Packets of their own are for ffmpeg alone.
    if (config.capture_engine === 'ffmpeg' || config.jpeg_quality > FINEST || options.transport !== 'tcp') return false;
    const why = await whyNot();
    if (why === null) return true;
    if (config.capture_engine === 'libav') throw new LookoutError('ffmpeg_failed', `capture_engine: libav cannot be used here: ${why}`);
    log.repeated('info', 'cameras are captured by an ffmpeg each, as libav cannot be used here', null, { reason: why });
    return false;
  }

  async function* framesByHost(stream: StreamSpec, folder: string, signal: AbortSignal): ReturnType<typeof feedFrames> {
    byHosts.set(stream.camera_id, stream);
    try {
      return yield* feedFrames(hosts, stream, folder, settings, signal);
    } finally {
      byHosts.delete(stream.camera_id);
    }
  }

  async function* frames(stream: StreamSpec, folder: string, signal: AbortSignal): AsyncGenerator<CapturedFrame, void, void> {
    let note = '';
    if (await usesLibav(stream)) {
      const outcome = yield* framesByHost(stream, folder, signal);
      if (outcome === 'aborted') return;
      if (outcome.why !== null) note = `, by ffmpeg: ${outcome.why}`;
    }
    const capture = { stream, settings: config, folder, realTime: false, open: wayTo(stream, stream.trusted ? null : boundsOf(config)) };
    byFfmpeg.add(stream.camera_id);
    try {
      for await (const frame of captureFrames(capture, signal)) yield note === '' ? frame : { ...frame, mode: frame.mode + note };
    } finally {
      byFfmpeg.delete(stream.camera_id);
    }
  }

  function videoOf(camera: string): FeedVideo {
    if (byFfmpeg.has(camera)) throw new LookoutError('no_live_video', `camera '${camera}' is captured by ffmpeg, which leaves no video that could be copied; stream.mjpeg shows its pictures`);
    const video = hosts.video(camera);
    if (!video) throw new LookoutError('stream_ended', `camera '${camera}' is not connected now`);
    return video;
  }

  return {
    frames,
    video: {
      rulesChanged() {
        for (const [camera, { options }] of byHosts) hosts.video(camera)?.keep(ringSeconds(camera, options, settings));
      },
      live: async (camera, signal) => audiences.join(camera, videoOf(camera), signal),
      async clip(camera, file, wanted) {
        const { begun_machine_ms, ...facts } = await videoOf(camera).clip({ file, ...wanted });
        return { ...facts, begins_at: wallTimeOf(begun_machine_ms) };
      },
      async record(camera, file, wanted) {
        const { begun_machine_ms, ...facts } = await videoOf(camera).record({ file, ...wanted });
        return { ...facts, begins_at: wallTimeOf(begun_machine_ms) };
      },
    },
    async probe(stream, signal) {
      if (!await usesLibav(stream)) return null;
      const found = await hosts.probe(requestOf(stream, '', settings), signal);
      if (!found) return null;
      const { picture, ...facts } = found;
      return { engine: 'libav', ...facts, jpeg: picture === null ? null : Buffer.from(picture, 'base64') };
    },
    knock: ({ url }, signal) => knock(url, signal),
    connectMs: async (stream) => (await usesLibav(stream) ? HOST_MS : null),
    close: () => hosts.close(),
  };
}
