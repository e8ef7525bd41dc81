/** Cameras that speak HTTP: an MJPEG stream, an address that gives one picture per request, or video, which is ffmpeg's. */
import type { IncomingMessage } from 'node:http';
import { LookoutError } from '../errors.ts';
import { linked } from '../lib/linked.ts';
import { boundsOf, type Reachable } from '../lib/reach.ts';
import type { CapturedFrame, Config, Source, StreamSpec } from '../types.ts';
import { captureFrames } from './ffmpeg/capture.ts';
import type { Capture } from './ffmpeg/connection.ts';
import { createClient } from './http/client.ts';
import { kindOf } from './http/kind.ts';
import { mjpegFrames } from './http/mjpeg.ts';
import { openPassage } from './http/passage.ts';
import { nothingUntold, snapshotFrames, type Untold } from './http/snapshot.ts';
import { refuseFingerprint } from './network/direct.ts';
import { knock } from './peer/knock.ts';
import type { PictureSettings } from './pictures/jpeg.ts';
import { createPatience, FIRST_PICTURE_MS } from './pictures/patience.ts';

export const summary = 'cameras that give pictures or video over HTTP';
export const schemes = ['http', 'https'];
/** Playlists at addresses of these. */
export const also = ['hls'];

type HttpSettings = PictureSettings & Reachable & Pick<Config, 'allow_schemes'>;

export function create({ config }: { readonly config: HttpSettings }): Source {
  /** By stream, from one connection to the next. */
  const untold = new WeakMap<StreamSpec, Untold>();

  function untoldOf(stream: StreamSpec): Untold {
    const own = untold.get(stream) ?? nothingUntold();
    untold.set(stream, own);
    return own;
  }

  return {
    frames: (stream, folder, signal) => httpFrames(stream, folder, config, untoldOf(stream), signal),
    knock: ({ url }, signal) => knock(url, signal),
    close: () => Promise.resolve(),
  };
}

async function* httpFrames(stream: StreamSpec, folder: string, config: HttpSettings, untold: Untold, signal: AbortSignal): AsyncGenerator<CapturedFrame, void, void> {
  const { interval_seconds } = stream.options;
  const patience = createPatience();
  const link = linked(signal, patience.signal);
  const either = link.signal;
  const caution = { bounds: stream.trusted ? null : boundsOf(config), tls: stream.options.tls };
  const client = createClient(stream.url, caution);
  let video: Capture | null = null;
  try {
    patience.wait(FIRST_PICTURE_MS);
    const answer = await client.get(either);
    const what = await kindOf(answer);
    if (what.kind === 'multipart') {
      yield* mjpegFrames(answer, what.boundary, interval_seconds, config, patience, either);
    } else if (what.kind === 'picture') {
      const ask = async (): Promise<IncomingMessage> => onePicture(await client.get(either));
      yield* snapshotFrames(answer, ask, untold, interval_seconds, config, patience, either);
    } else {
      if (what.kind === 'playlist') {
        if (!config.allow_schemes.includes('hls')) throw new LookoutError('forbidden_scheme', PLAYLIST_IN_WORDS);
        refuseFingerprint(stream.options.tls);
      }
      video = {
        stream, settings: config, folder, format: what.kind === 'video' ? what.format : 'hls',
        // What has an end is a file that lies there; a camera's stream goes on.
        realTime: what.kind === 'video' ? answer.headers['content-length'] !== undefined : what.isOver,
        // A playlist names other addresses, which ffmpeg opens itself.
        ...(what.kind === 'video' && { open: (life: AbortSignal) => openPassage(createClient(stream.url, caution), life) }),
      };
    }
  } catch (error) {
    if (signal.aborted) return;
    throw patience.signal.aborted ? patience.signal.reason as Error : error;
  } finally {
    link.release();
    patience.rest();
    client.close();
  }
  // Not before our own connection is closed: some cameras have but one.
  if (video) yield* captureFrames(video, signal);
}

/** Of a playlist ffmpeg opens whatever stands in it, on whichever machine; and it reads it again and again. */
const PLAYLIST_IN_WORDS = 'the camera answers with a playlist (HLS), which can send this machine to any address; allow_schemes: [hls] opens them';

/** The answer itself, if it is one picture; another's connection is closed with what of it has not been read. */
async function onePicture(answer: IncomingMessage): Promise<IncomingMessage> {
  try {
    const { kind } = await kindOf(answer);
    if (kind !== 'picture') throw new LookoutError('stream_codec', `the camera answers with a ${kind}, after it gave pictures`);
    return answer;
  } catch (error) {
    answer.destroy();
    throw error;
  }
}
