/** Makes a video clip with known properties, to be played again and again at little cost. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rename, rm } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { LookoutError } from '../errors.ts';
import { leashedFfmpeg } from '../lib/leash.ts';
import { clipArguments, type ClipOptions } from './ffmpeg-arguments.ts';

/** The file appears whole or not at all. */
export async function makeClip(file: string, options: ClipOptions, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const part = `${file}.part`;
  const command = leashedFfmpeg(clipArguments(part, options));
  const child = spawn(command.file, command.args, { stdio: ['ignore', 'ignore', 'pipe'], env: command.env });
  const kill = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill);
  try {
    const [words, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]) as [string, [number | null]];
    signal.throwIfAborted();
    if (code !== 0) throw new LookoutError('internal', `ffmpeg could not make the clip ${file}: ${words.trim().slice(-2000)}`);
    await rename(part, file);
  } finally {
    signal.removeEventListener('abort', kill);
    await rm(part, { force: true });
  }
}
