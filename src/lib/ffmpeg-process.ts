/** Runs one ffmpeg through fluent-ffmpeg: the one place that knows that library and what it leaves out. */
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { FfmpegCommand } from 'fluent-ffmpeg';
import { LookoutError } from '../errors.ts';
import { keepComplaint, logParser } from './ffmpeg-log.ts';
import { leashedFfmpeg } from './leash.ts';

export interface FfmpegRun {
  /** A file, or what ffmpeg reads from its standard input. */
  readonly source: string | Readable;
  readonly input?: readonly string[];
  /** At most one writable among them, without `close`, which fluent-ffmpeg takes for a consumer that has gone. */
  readonly outputs: readonly { readonly target: string | Writable; readonly options: readonly string[] }[];
  /** Told each line that ffmpeg writes to the target pipe:1, to pipe:2, where its log goes too, or to pipe:3. Who is told its log says what it is to hold. */
  readonly onLine?: Readonly<Partial<Record<1 | 2 | 3, (line: string) => void>>>;
  /** Where it runs: what relative targets are relative to. */
  readonly folder?: string;
}

/** From the request to end, with which ffmpeg takes leave of its camera, to the end by force. */
const GOODBYE_MS = 500;

/**
 * Resolves when ffmpeg is gone and its output taken, with its own failure or null, also when it was aborted.
 * Rejects when it could not be run, or when what it wrote was refused.
 */
export async function runFfmpeg({ source, input = [], outputs, onLine = {}, folder = '.' }: FfmpegRun, signal: AbortSignal): Promise<Error | null> {
  // Capture hosts and most commands never run one.
  const { default: ffmpeg } = await import('fluent-ffmpeg');
  const drained: Promise<void>[] = [];
  const complaints: string[] = [];
  const heard = { 2: keepComplaints(complaints), ...onLine };
  const command = withoutTraps(ffmpeg({ source, cwd: folder, stdoutLines: 1 }), onLine[3] ? FOUR_PIPES : undefined, (process) => {
    for (const [fd, tell] of Object.entries(heard)) {
      const lines = createInterface({ input: process.stdio[Number(fd)] as Readable }).on('line', tell);
      drained.push(new Promise((done) => { lines.once('close', done); }));
    }
  });
  command.setFfmpegPath(leashedFfmpeg([]).file);
  // Alone or in a list, a word with one space in it would be taken for two.
  command.inputOptions('-hide_banner', ...(onLine[2] ? [] : ['-loglevel', 'level+error']), ...input);
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
      else if (!error || END.test(error.message)) void Promise.all(drained).then(() => { resolve(error && inWords(error, complaints)); });
      else if (signal.aborted) resolve(error);
      else reject('syscall' in error ? new LookoutError('ffmpeg_failed', `ffmpeg cannot be started: ${error.message}`, { cause: error }) : error);
    };
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

/** How it ended, before what the library makes of its log. */
const END = /^.*?(?:exited with code \d+|killed with signal \w+)/;

function keepComplaints(complaints: string[]): (line: string) => void {
  const parse = logParser();
  return (line) => {
    const said = parse(line);
    if (said?.kind === 'complaint') keepComplaint(complaints, said.text);
  };
}

function inWords(error: Error, complaints: readonly string[]): Error {
  const [end = error.message] = END.exec(error.message) ?? [];
  return new Error(complaints.length > 0 ? `${end}: ${complaints.join('; ')}` : end);
}

type OnProcess = (process: ChildProcess, ...rings: { get(): string }[]) => void;
type OnEnd = (error?: Error | null, ...rings: { get(): string }[]) => void;
type Spawn = (args: readonly string[], options: object, onProcess: OnProcess, onEnd: OnEnd) => void;

const NO_WORDS = { get: () => '' };
const FOUR_PIPES = ['pipe', 'pipe', 'pipe', 'pipe'] as const;

/**
 * fluent-ffmpeg asks ffmpeg twice what it can do before its first run, and is lost when the answer does not come; our
 * words need no such check. And it throws where nobody can catch it when the system refuses a process (EAGAIN, EMFILE).
 * `stdio` and `onStart` are what it has no words for.
 */
function withoutTraps(command: FfmpegCommand, stdio: typeof FOUR_PIPES | undefined, onStart: (process: ChildProcess) => void): FfmpegCommand {
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
        const leashed = leashedFfmpeg(args);
        spawn(leashed.args, { ...options, stdio, env: leashed.env }, (process, ...rings) => {
          onStart(process);
          onProcess(process, ...rings);
        }, endOnce);
      } catch (error) {
        // After the child's own error, which says more.
        setImmediate(() => { endOnce(error as Error); });
      }
    },
  });
}
