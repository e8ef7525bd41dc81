/** A runner that starts a process for every call: the Flask orchestrator's contract, unchanged. */
import { randomUUID } from 'node:crypto';
import { readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { LookoutError } from '../errors.ts';
import type { Runner, RunnerAnswer, RunnerFrame } from '../types.ts';
import { untilAborted } from '../lib/abort.ts';
import { readOfModels, removeOfModels, Unfit } from '../lib/account.ts';
import { hasCode, makeFolder, removeIfPresent } from '../lib/files.ts';
import { abortReason } from './abort.ts';
import { AT_ONCE, startChild, type Child } from './child.ts';
import type { RunnerCommand } from './command.ts';
import { callFailed, runnerDied } from './failures.ts';
import { quoteLastWords } from './last-words.ts';
import { tellLast } from './listen.ts';
import { MAX_MESSAGE } from './messages.ts';
import { parseOutput } from './one-shot-output.ts';
import { isPrintedFailure, withPrintedFailures } from './printed-failures.ts';
import { Invalid } from './shape.ts';

export interface OneShotOptions {
  readonly model: string;
  readonly onLog: (line: string) => void;
  /** Somebody reads these lines as they come, so errors do not quote them. */
  readonly watched?: boolean;
  /** Where output files live for the length of a call; made when it is not there. */
  readonly work_dir: string;
}

const CLOSED = 'was closed';
/** No call lasts so long. */
const STALE_MS = 24 * 3_600_000;
/** No smaller than most outputs. */
const PROBE_BYTES = 65_536;

export function oneShotRunner(command: RunnerCommand, { model, onLog, watched = false, work_dir }: OneShotOptions): Runner {
  const children = new Set<Child>();
  let closed = false;
  let swept = false;
  let end: (reason: string) => void = () => undefined;
  const ended = new Promise<string>((resolve) => { end = resolve; });

  const failed = (why: string, child: Child, cause: unknown): LookoutError => (
    callFailed(model, `${why}.${quoteLastWords(watched ? null : child.lastWords())}`, child.lastWords(), [], cause));

  const outcome = async (child: Child, frames: readonly RunnerFrame[], output: string, failures: readonly string[]): Promise<RunnerAnswer> => {
    const started = performance.now();
    const { ok, reason, cause } = await child.ended;
    const inference_ms = performance.now() - started;
    if (closed) throw runnerDied(model, CLOSED, child.lastWords());
    if (!ok) throw failed(`the program ${reason}`, child, cause ?? await whyUnwritable(work_dir));
    try {
      const said = parseOutput(await readOfModels(output, MAX_MESSAGE), frames);
      return { inference_ms, ...said, predictions: withPrintedFailures(said.predictions, failures) };
    } catch (error) {
      throw failed(flawOf(error), child, await whyUnwritable(work_dir));
    }
  };

  return {
    ready: { detector: null, labels: null, device: null, mix: null, slots: 1 },
    ended,
    predict: async (frames, _options, signal) => {
      try {
        await makeFolder(work_dir);
        if (!swept) await sweep(work_dir);
        swept = true;
      } catch (error) {
        // A full disk is no end of the program.
        throw callFailed(model, `there is no room for its output: ${String(error)}`, '', [], error);
      }
      if (signal.aborted) throw abortReason(signal);
      if (closed) throw runnerDied(model, CLOSED, '');
      const output = resolve(work_dir, `${randomUUID()}.json`);
      const failures: string[] = [];
      const child = startChild({ ...command, args: [...command.args, ...contract(model, frames, output)] }, (lines) => {
        failures.push(...lines.filter(isPrintedFailure).slice(0, frames.length - failures.length));
        tellLast(lines, onLog);
      });
      // There is no input: a program that reads some must see its end, not wait for it until the deadline.
      child.stdin.end();
      children.add(child);
      try {
        return await untilAborted(outcome(child, frames, output, failures), signal, abortReason);
      } finally {
        await child.stop('was killed because its call was aborted', AT_ONCE);
        children.delete(child);
        await discard(output);
      }
    },
    memory: async () => {
      const each = (await Promise.all([...children].map((child) => child.memory()))).filter((bytes) => bytes !== null);
      return each.length === 0 ? null : each.reduce((sum, bytes) => sum + bytes);
    },
    close: async () => {
      closed = true;
      await Promise.all([...children].map((child) => child.stop(CLOSED, AT_ONCE)));
      end(CLOSED);
    },
  };
}

/** What is wrong with an output file, in words. */
function flawOf(error: unknown): string {
  if (error instanceof Invalid) return error.message;
  if (hasCode(error, 'ENOENT')) return 'the program exited with code 0 and left no file at the path of --output-file';
  return `its output file cannot be read: ${error instanceof Unfit ? error.message : String(error)}`;
}

/** What kept the program from writing its output, if that was the system; undefined: it was not. */
async function whyUnwritable(folder: string): Promise<unknown> {
  const file = join(folder, `${randomUUID()}.json`);
  try {
    // A new one: the program's own may be a link to anywhere.
    await writeFile(file, Buffer.alloc(PROBE_BYTES), { flag: 'wx' });
    return undefined;
  } catch (error) {
    return error;
  } finally {
    await rm(file, { force: true }).catch(() => undefined);
  }
}

/** Removes outputs of processes that were killed before they had read them. */
async function sweep(work_dir: string): Promise<void> {
  for (const name of await readdir(work_dir)) {
    const output = join(work_dir, name);
    const stale = await stat(output).then(({ mtimeMs }) => mtimeMs < Date.now() - STALE_MS, () => false);
    if (stale && /^[0-9a-f-]{36}\.json$/.test(name)) await discard(output);
  }
}

/** Whatever the program has put there, a folder too. */
async function discard(output: string): Promise<void> {
  await removeIfPresent(output).catch(() => removeOfModels(output));
}

function contract(model: string, frames: readonly RunnerFrame[], output: string): readonly string[] {
  const files = frames.map(({ file }) => resolve(file));
  return ['--model-name', model, '--frames', JSON.stringify(files), '--output-file', output];
}
