/** Starts ffmpeg so that it cannot outlive this process. */
import { spawn } from 'node:child_process';

/** Damaged pictures are left out, not guessed. */
export const STRICT = ['-v', 'error', '-err_detect', 'explode', '-threads', '1'];
export const grey = ({ width, height }) => ['-vf', `scale=${width}:${height}:flags=area,format=gray`, '-fps_mode', 'passthrough'];

export function start(args, stdin) {
  const { LOOKOUT_LEASH, LOOKOUT_FFMPEG } = process.env;
  const [file, ...words] = [...(LOOKOUT_LEASH ? [LOOKOUT_LEASH, String(process.pid)] : []), LOOKOUT_FFMPEG || 'ffmpeg', ...args];
  return spawn(file, words, { stdio: [stdin, 'pipe', 'pipe'] });
}

/** Runs it to its end, without input. */
export async function run(args) {
  const child = start(args, 'ignore');
  const ended = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  try {
    const [code, output, errors] = await Promise.all([ended, collect(child.stdout), collect(child.stderr)]);
    return { code, output, complaint: errors.toString().trim().split('\n').at(-1) };
  } finally {
    child.kill('SIGKILL');
  }
}

async function collect(stream) {
  return Buffer.concat(await stream.toArray());
}
