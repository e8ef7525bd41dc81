/** Pictures out of a clip, as JPEG files. */
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
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

function size(bytes) {
  const { width, height } = imageSize(bytes);
  return { width, height };
}
