/** Cameras that speak HTTP: an MJPEG stream, or an address that gives one picture per request. */
import type { IncomingMessage } from 'node:http';
import { LookoutError } from '../errors.ts';
import { linked } from '../lib/linked.ts';
import type { CapturedFrame, Source, StreamSpec } from '../types.ts';
import { createClient } from './http/client.ts';
import { mjpegFrames } from './http/mjpeg.ts';
import { boundaryOf } from './http/multipart.ts';
import { snapshotFrames } from './http/snapshot.ts';
import type { PictureSettings } from './pictures/jpeg.ts';
import { createPatience, FIRST_PICTURE_MS } from './pictures/patience.ts';

export const summary = 'cameras that give pictures over HTTP';
export const schemes = ['http', 'https'];

export function create({ config }: { readonly config: PictureSettings }): Source {
  return {
    frames: (stream, _folder, signal) => httpFrames(stream, config, signal),
    close: () => Promise.resolve(),
  };
}

async function* httpFrames({ url, options }: StreamSpec, config: PictureSettings, signal: AbortSignal): AsyncGenerator<CapturedFrame, void, void> {
  const { interval_seconds } = options;
  const patience = createPatience();
  const link = linked(signal, patience.signal);
  const either = link.signal;
  const client = createClient(url);
  try {
    patience.wait(FIRST_PICTURE_MS);
    const answer = await client.get(either);
    const type = contentType(answer);
    if (/^multipart\//.test(type)) {
      yield* mjpegFrames(answer, boundary(answer), interval_seconds, config, patience, either);
    } else {
      const ask = async (): Promise<IncomingMessage> => picture(await client.get(either));
      yield* snapshotFrames(picture(answer), ask, interval_seconds, config, patience, either);
    }
  } catch (error) {
    if (signal.aborted) return;
    throw patience.signal.aborted ? patience.signal.reason as Error : error;
  } finally {
    link.release();
    patience.rest();
    client.close();
  }
}

function contentType({ headers }: IncomingMessage): string {
  return (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** The answer itself, if it is one picture. */
function picture(answer: IncomingMessage): IncomingMessage {
  const type = contentType(answer);
  if (/^image\/(p?jpe?g|png)$/.test(type)) return answer;
  throw new LookoutError('stream_codec', `the camera answers with ${type || 'something without a content type'}, which is neither an MJPEG stream nor a JPEG or PNG picture`);
}

function boundary({ headers }: IncomingMessage): string {
  const found = boundaryOf(headers['content-type'] ?? '');
  if (found !== null) return found;
  throw new LookoutError('stream_codec', 'the camera answers with a multipart stream and does not say what parts it');
}
