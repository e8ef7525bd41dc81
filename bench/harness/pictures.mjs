/** Pictures out of a clip, as JPEG files. */
import { once } from 'node:events';
import { link, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { imageSize } from 'image-size';
import { start } from './programs.mjs';

/** One picture a second from the clip, at most `maxWidth` pixels wide: `{file, width, height}` each. */
export async function pictures(clip, folder, count, maxWidth = 4096) {
  const child = start('ffmpeg', [
    '-loglevel', 'error', '-stream_loop', '-1', '-i', clip, '-an', '-vf', `fps=1,scale='min(iw,${maxWidth})':-2`,
    '-frames:v', String(count), '-q:v', '2', join(folder, 'picture-%02d.jpg'),
  ], { stdio: ['ignore', 'ignore', 'inherit'] });
  await once(child, 'exit');
  const files = (await readdir(folder)).filter((name) => name.startsWith('picture-')).sort().map((name) => join(folder, name));
  return Promise.all(files.map(async (file) => ({ file, ...size(await readFile(file)) })));
}

/** A folder that shows the pictures again and again, `count` in all; answers the URL that plays it. */
export async function reel(pictures, folder, count) {
  await mkdir(folder);
  for (let index = 0; index < count; index += 1) await link(pictures[index % pictures.length].file, join(folder, `${index}.jpg`));
  return pathToFileURL(folder).href;
}

function size(bytes) {
  const { width, height } = imageSize(bytes);
  return { width, height };
}
