/** Decodes pictures to small grey ones: with a warm decoder, and with an ffmpeg of its own where that one has no answer. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { startDecoder } from './decoder.mjs';
import { STRICT, grey, run } from './ffmpeg.mjs';
import { standsAlone } from './jpeg.mjs';

/** After a start in vain, which another ffmpeg or a machine too busy may explain. */
const TRY_AGAIN_MS = 60_000;

/** Throws when there is no ffmpeg: without it every picture would look damaged. */
export async function openPictures(size) {
  const { code, complaint } = await run(['-version']);
  if (code !== 0) throw new Error(`ffmpeg cannot be started: ${complaint || `it ended with ${code}`}; install it, \`lookout doctor\` names the command`);
  let decoder = null;
  let notBefore = 0;
  await ready();
  return { decode };

  /** One answer per file, in order: `{pixels}` (width x height grey bytes) or `{error}`. */
  async function decode(files) {
    const answers = [];
    for (const file of files) {
      const pixels = await decodeWarm(file);
      answers.push(pixels === null ? await decodeAlone(file, size) : { pixels });
    }
    return answers;
  }

  async function decodeWarm(file) {
    const picture = await readFile(file).catch(() => null);
    if (picture === null || !standsAlone(picture) || !(await ready())) return null;
    return decoder.ask(picture);
  }

  /** Whether there is a warm decoder, after an attempt to start one where there is none. */
  async function ready() {
    if (decoder !== null && !decoder.over) return true;
    if (performance.now() < notBefore) return false;
    decoder = await startDecoder(size);
    if (decoder !== null) return true;
    notBefore = performance.now() + TRY_AGAIN_MS;
    console.error('ffmpeg does not answer as a warm decoder; for the next minute one is started for each picture, which takes several times the CPU');
    return false;
  }
}

/** What is wrong with a picture, or which other kind it is, only a look at it alone can tell. */
async function decodeAlone(file, size) {
  const { code, output, complaint } = await run([...STRICT, '-i', `file:${file}`, '-frames:v', '1', ...grey(size), '-f', 'rawvideo', 'pipe:1']);
  if (code === 0 && output.length === size.width * size.height) return { pixels: output };
  return { error: `${basename(file)} cannot be read: ${complaint.replace(`file:${file}: `, '') || `ffmpeg ended with ${code}`}` };
}
