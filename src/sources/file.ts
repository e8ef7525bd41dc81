/** Videos and pictures on this machine, played as if a camera sent them: for tests and replays. */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LookoutError } from '../errors.ts';
import type { CapturedFrame, Source, StreamSpec } from '../types.ts';
import { captureFrames } from './ffmpeg/capture.ts';
import { folderFrames, isPicture, picturesIn, unreadable } from './pictures/folder.ts';
import type { PictureSettings } from './pictures/jpeg.ts';

export const summary = 'videos and pictures on this machine';
export const schemes = ['file'];

export function create({ config }: { readonly config: PictureSettings }): Source {
  return {
    needsLeave: true,
    frames: (stream, folder, signal) => fileFrames(stream, folder, config, signal),
    close: () => Promise.resolve(),
  };
}

async function* fileFrames(stream: StreamSpec, folder: string, config: PictureSettings, signal: AbortSignal): AsyncGenerator<CapturedFrame, void, void> {
  const path = pathOf(stream.url);
  const isFolder = (await stat(path).catch(unreadable(path))).isDirectory();
  if (isFolder || isPicture(path)) {
    yield* folderFrames(isFolder ? await picturesIn(path) : [path], folder, stream.options.interval_seconds, config, signal);
  } else {
    // With its scheme: ffmpeg reads a path on its own as relative to the script that names it.
    yield* captureFrames({ stream: { ...stream, url: `file:${path}` }, settings: config, folder, realTime: true }, signal);
  }
}

/** `file:///a%20b.mp4`, `file:clips/a b.mp4` and a plain path. */
function pathOf(url: string): string {
  if (!/^file:\/\//i.test(url)) return resolve(url.replace(/^file:/i, ''));
  try {
    return fileURLToPath(url);
  } catch (error) {
    throw new LookoutError('stream_not_found', `${url} names no file of this machine; write file:///folder/clip.mp4`, { cause: error });
  }
}
