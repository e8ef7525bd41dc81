/** Runs one ffmpeg through fluent-ffmpeg: the one place that knows that library and what it leaves out. */
import ffmpeg from 'fluent-ffmpeg';
import type { Readable, Writable } from 'node:stream';
import { LookoutError } from '../errors.ts';
import { leashedFfmpeg } from './leash.ts';

export interface FfmpegRun {
  /** A file, or what ffmpeg reads from its standard input. */
  readonly source: string | Readable;
  readonly input?: readonly string[];
  /** At most one writable among them, without `close`, which fluent-ffmpeg takes for a consumer that has gone. */
  readonly outputs: readonly { readonly target: string | Writable; readonly options: readonly string[] }[];
  /** Told each line that ffmpeg says on stderr. */
  readonly onLine?: (line: string) => void;
  /** Told each line that ffmpeg writes to its standard output, where that is no target. */
  readonly onOutput?: (line: string) => void;
  /** Where it runs: what relative targets are relative to. */
  readonly folder?: string;
}

/** From the request to end, with which ffmpeg takes leave of its camera, to the end by force. */
const GOODBYE_MS = 500;

/**
 * Resolves when ffmpeg is gone and its output taken, with its own failure or null, also when it was aborted.
 * Rejects when it could not be run, or when what it wrote was refused.
 */
export function runFfmpeg({ source, input = [], outputs, onLine, onOutput = () => undefined, folder = '.' }: FfmpegRun, signal: AbortSignal): Promise<Error | null> {
  // Its last lines become the failure's words, for those who are not told the lines themselves.
  const command = withoutTraps(ffmpeg({ source, cwd: folder, stdoutLines: onLine ? 1 : 100 }), onOutput);
  command.setFfmpegPath(leashedFfmpeg);
  command.inputOptions([...input]);
  const drained: Promise<void>[] = [];
  for (const { target, options } of outputs) {
    command.output(target).outputOptions([...options]);
    if (typeof target !== 'string') drained.push(new Promise((done) => { target.once('finish', done); }));
  }
  let killing: NodeJS.Timeout | undefined;
  const end = (): void => {
    command.kill('SIGTERM');
    killing = setTimeout(() => { command.kill('SIGKILL'); }, GOODBYE_MS);
  };
  return new Promise<Error | null>((resolve, reject) => {
    const finish = (error: Error | null): void => {
      // The shell's words for a program that it cannot find or run.
      if (error && /exited with code 12[67]/.test(error.message)) reject(new LookoutError('ffmpeg_missing', 'ffmpeg cannot be run: install it; `lookout doctor` names the command'));
      else if (!error || /exited with code|killed with signal/.test(error.message)) void Promise.all(drained).then(() => { resolve(error); });
      else if (signal.aborted) resolve(error);
      else reject('syscall' in error ? new LookoutError('ffmpeg_failed', `ffmpeg cannot be started: ${error.message}`, { cause: error }) : error);
    };
    if (onLine) command.on('stderr', onLine);
    // Before that there is no process that could be ended.
    command.on('start', () => { if (signal.aborted) end(); });
    command.on('end', () => { finish(null); }).on('error', finish);
    signal.addEventListener('abort', end, { once: true });
    command.run();
  }).finally(() => {
    clearTimeout(killing);
    signal.removeEventListener('abort', end);
  });
}

interface Words {
  get(): string;
  /** From now on told each line. */
  callback(onLine: (line: string) => void): void;
}
type OnProcess = (process: unknown, stdout: Words, stderr: Words) => void;
type OnEnd = (error?: Error | null, stdout?: Words, stderr?: Words) => void;
type Spawn = (args: readonly string[], options: object, onProcess: OnProcess, onEnd: OnEnd) => void;

const NO_WORDS: Words = { get: () => '', callback: () => undefined };

/**
 * fluent-ffmpeg asks ffmpeg twice what it can do before its first run, and is lost when the answer does not come; our
 * words need no such check. It throws where nobody can catch it when the system refuses a process (EAGAIN, EMFILE). And
 * it keeps to itself what ffmpeg writes to its standard output.
 */
function withoutTraps(command: ffmpeg.FfmpegCommand, onOutput: (line: string) => void): ffmpeg.FfmpegCommand {
  const spawn = (command as unknown as { _spawnFfmpeg: Spawn })._spawnFfmpeg.bind(command);
  return Object.assign(command, {
    _checkCapabilities: (next: () => void) => { next(); },
    availableEncoders: (next: (error: null, encoders: object) => void) => { next(null, {}); },
    _spawnFfmpeg(args: readonly string[], options: object, onProcess: OnProcess, onEnd: OnEnd) {
      let ended = false;
      const endOnce: OnEnd = (error, stdout = NO_WORDS, stderr = NO_WORDS) => {
        if (!ended) onEnd(error, stdout, stderr);
        ended = true;
      };
      try {
        spawn(args, options, (process, stdout, stderr) => {
          stdout.callback(onOutput);
          onProcess(process, stdout, stderr);
        }, endOnce);
      } catch (error) {
        // After the child's own error, which says more.
        setImmediate(() => { endOnce(error as Error); });
      }
    },
  });
}
