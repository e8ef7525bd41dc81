/** What is named on the command line, pictures, folders of them and videos, as pictures to show to a model. */
import { mkdir, readdir, stat } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import { LookoutError } from '../errors.ts';
import { picturesOf } from '../lib/ffmpeg.ts';
import { QUALITY, sizeOf, uprightJpeg } from './picture.ts';

interface Facts {
  /** What it is called in what is printed: as it was named, of a video with the time. */
  readonly name: string;
  /** The beginning of the names of what is made of it. */
  readonly stem: string;
  /** Pictures of one stream follow each other. */
  readonly stream: string;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Its place in its stream, and how many seconds after the first. */
  readonly number: number;
  readonly at: number;
}

/** `file` is an upright JPEG. */
export type Shown = Facts & { readonly file: string };

export type Picture = Shown | (Facts & { readonly error: string });

const PICTURE = /\.(jpe?g|png|webp|bmp|gif|tiff?)$/i;
const VIDEO = /\.(mp4|m4v|mov|mkv|webm|avi|wmv|flv|ts|m2ts|mpe?g|3gp|ogv|mjpe?g|h26[45]|hevc)$/i;

/**
 * Of a video one picture every so many seconds. `folder` takes what has to be made. Throws `bad_request` for what is not
 * there. `drawingOf`: what the drawing of a picture is called, which is left out of a folder where the picture is.
 */
export async function readPictures(named: readonly string[], every: number, folder: string, drawingOf: (stem: string) => string, signal: AbortSignal): Promise<readonly Picture[]> {
  const pictures: Picture[] = [];
  const add = async (path: string, converted: string): Promise<void> => { pictures.push(await readPicture(path, converted, pictures.length, signal)); };
  for (const [place, path] of named.entries()) {
    const facts = await stat(path).catch(() => { throw new LookoutError('bad_request', `there is no ${path}`); });
    const own = join(folder, String(place));
    await mkdir(own);
    if (facts.isDirectory()) {
      const all = (await readdir(path)).filter((name) => PICTURE.test(name)).sort();
      const drawings = new Set(all.map((name) => drawingOf(stemOf(name))));
      const names = all.filter((name) => !drawings.has(name));
      if (names.length === 0) throw new LookoutError('bad_request', `there is no picture in ${path}`);
      for (const [number, name] of names.entries()) await add(join(path, name), join(own, `${number}.jpg`));
    } else if (VIDEO.test(path)) pictures.push(...(await readVideo(path, every, own, signal)));
    else await add(path, join(own, '0.jpg'));
  }
  return pictures;
}

/** One that cannot be read costs itself only. */
async function readPicture(path: string, converted: string, number: number, signal: AbortSignal): Promise<Picture> {
  const known = { name: path, stem: stemOf(path), stream: 'pictures', number, at: number };
  try {
    return { ...known, ...(await uprightJpeg(path, converted, signal)) };
  } catch (error) {
    signal.throwIfAborted();
    return { ...known, error: error instanceof LookoutError && error.code === 'bad_frame' ? 'it cannot be read as a picture' : (error as Error).message, width: 0, height: 0 };
  }
}

async function readVideo(path: string, every: number, folder: string, signal: AbortSignal): Promise<readonly Picture[]> {
  const files = await picturesOf(resolve(path), { everySeconds: every, jpegQuality: QUALITY.jpegQuality }, folder, signal);
  const [first] = files;
  if (first === undefined) throw new LookoutError('bad_request', `${path} shows no picture`);
  const { width, height } = await sizeOf(first);
  return files.map((file, number) => {
    const at = Math.round(number * every * 1000) / 1000;
    return { name: `${path} at ${at} s`, stem: `${stemOf(path)}-${at}s`, stream: path, file, width, height, number, at };
  });
}

function stemOf(path: string): string {
  return basename(path, extname(path));
}
