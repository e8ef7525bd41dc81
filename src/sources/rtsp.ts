/** Cameras that speak RTSP, plain or over TLS: read by capture hosts, or each by an ffmpeg. */
import { LookoutError } from '../errors.ts';
import type { Log } from '../lib/log.ts';
import type { CapturedFrame, Config, Source, StreamSpec } from '../types.ts';
import { feedFrames } from './feeds/frames.ts';
import { createHosts } from './feeds/hosts.ts';
import { whyNotLibav } from './feeds/binding.ts';
import { captureFrames } from './ffmpeg/capture.ts';
import type { FfmpegSettings } from './ffmpeg/source.ts';
import { knock } from './peer/knock.ts';
import { wayTo } from './rtsp/way.ts';

export const summary = 'cameras that speak RTSP, plain or over TLS';
export const schemes = ['rtsp', 'rtsps'];

/** Of the qualities that libav's encoder has. */
const FINEST = 95;

type RtspSettings = FfmpegSettings & Pick<Config, 'capture_engine'>;

export function create({ config, log }: { readonly config: RtspSettings; readonly log: Log }): Source {
  const hosts = createHosts(log);
  let isLibav: Promise<boolean> | null = null;

  /** Asked with the first camera. Throws where libav was demanded and is not to be had. */
  async function usesLibav(): Promise<boolean> {
    if (config.capture_engine === 'ffmpeg' || config.jpeg_quality > FINEST) return false;
    const why = await whyNotLibav();
    if (why === null) return true;
    if (config.capture_engine === 'libav') throw new LookoutError('ffmpeg_failed', `capture_engine: libav cannot be used here: ${why}`);
    log.info(`cameras are captured by an ffmpeg each, as libav cannot be used here: ${why}`);
    return false;
  }

  async function* frames(stream: StreamSpec, folder: string, signal: AbortSignal): AsyncGenerator<CapturedFrame, void, void> {
    let note = '';
    // Packets of their own are for ffmpeg alone.
    if (stream.options.transport === 'tcp' && await (isLibav ??= usesLibav())) {
      const outcome = yield* feedFrames(hosts, stream, folder, config, signal);
      if (outcome === 'aborted') return;
      if (outcome.why !== null) note = `, by ffmpeg: ${outcome.why}`;
    }
    const capture = { stream, settings: config, folder, realTime: false, open: wayTo(stream, stream.trusted ? null : config) };
    for await (const frame of captureFrames(capture, signal)) yield note === '' ? frame : { ...frame, mode: frame.mode + note };
  }

  return {
    frames,
    knock: ({ url }, signal) => knock(url, signal),
    close: () => hosts.close(),
  };
}
