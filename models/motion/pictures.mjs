/** Decodes pictures to small grey ones with ffmpeg: one process for a whole batch, one each only when something is wrong. */
import { spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';

const LEASH = fileURLToPath(new URL('../../runners/leash', import.meta.url));
/** Damaged pictures are left out, not guessed. */
const STRICT = ['-v', 'error', '-err_detect', 'explode', '-threads', '1'];

/** Throws when there is no ffmpeg: without it every picture would look damaged. */
export async function checkFfmpeg() {
  const { code, complaint } = await ffmpeg(['-version']);
  if (code !== 0) throw new Error(`ffmpeg cannot be started: ${complaint || `it ended with ${code}`}; install it, \`lookout doctor\` names the command`);
}

/** One answer per file, in order: `{pixels}` (width x height grey bytes) or `{error}`. */
export async function decode(files, size) {
  const input = ['-f', 'image2pipe', '-c:v', 'mjpeg', '-i', 'pipe:0'];
  const together = await ffmpeg([...STRICT, ...input, ...grey(size)], inTurn(files)).catch(() => null);
  const bytes = size.width * size.height;
  if (together?.code === 0 && together.output.length === files.length * bytes) {
    return files.map((_, index) => ({ pixels: together.output.subarray(index * bytes, (index + 1) * bytes) }));
  }
  // Something is missing, damaged or no JPEG: what, only a look at each can tell.
  const answers = [];
  for (const file of files) answers.push(await decodeOne(file, size));
  return answers;
}

async function decodeOne(file, size) {
  const { code, output, complaint } = await ffmpeg([...STRICT, '-i', `file:${file}`, '-frames:v', '1', ...grey(size)]);
  if (code === 0 && output.length === size.width * size.height) return { pixels: output };
  return { error: `${basename(file)} cannot be read: ${complaint.replace(`file:${file}: `, '') || `ffmpeg ended with ${code}`}` };
}

const grey = ({ width, height }) => ['-vf', `scale=${width}:${height}:flags=area,format=gray`, '-fps_mode', 'passthrough', '-f', 'rawvideo', 'pipe:1'];

async function* inTurn(files) {
  for (const file of files) yield* createReadStream(file);
}

async function ffmpeg(args, input) {
  const child = spawn(LEASH, [String(process.pid), process.env.LOOKOUT_FFMPEG || 'ffmpeg', ...args], { stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'] });
  const ended = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const fed = input === undefined ? null : pipeline(Readable.from(input), child.stdin);
  try {
    const [code, output, errors] = await Promise.all([ended, collect(child.stdout), collect(child.stderr), fed]);
    return { code, output, complaint: errors.toString().trim().split('\n').at(-1) };
  } finally {
    child.kill('SIGKILL');
  }
}

async function collect(stream) {
  return Buffer.concat(await stream.toArray());
}
