/** A runner's process: started on a leash in a group of its own, listened to, and stopped for sure. */
import type { Writable } from 'node:stream';
import { execa } from 'execa';
import { systemClock } from '../lib/clock.ts';
import { homeOf, modelsAccount } from '../lib/account.ts';
import { killedBy } from '../lib/killed.ts';
import { leashedModel } from '../lib/leash.ts';
import { memoryOfTree } from '../lib/memory.ts';
import type { RunnerCommand } from './command.ts';
import { keepLastWords } from './last-words.ts';
import { splitLines, type OnLine } from './lines.ts';
import { listen, rest } from './listen.ts';

export interface Child {
  readonly stdin: Writable;
  /** Resolves when the process is gone and what it wrote has been read. Never rejects. */
  readonly ended: Promise<End>;
  lastWords(): string;
  /** Bytes in memory of the process and those that it started; null: that cannot be told. */
  memory(): Promise<number | null>;
  /** Ends stdin, after `patience_ms` asks with SIGTERM, after `term_ms` more kills. The first reason given is the one kept. */
  stop(reason: string, patience: { readonly patience_ms: number; readonly term_ms: number }): Promise<void>;
}

export interface End {
  readonly ok: boolean;
  /** null: it was killed, or never started. */
  readonly code: number | null;
  /** In words that follow "the runner": `exited with code 3`. */
  readonly reason: string;
  /** Of one that never started: what the system says. */
  readonly cause?: unknown;
}

/** For a process that may hang: gone within a second. */
export const AT_ONCE = { patience_ms: 0, term_ms: 900 };

const BLANKS_A_MS = 1000;
const MEMORY_LOOK_MS = 500;
/** A process that left the group may hold the pipes open for ever; what the runner itself wrote is there by then. */
const PIPES_AFTER_EXIT_MS = 500;

/** Where the lines of stdout go, and how many characters one may have. */
export interface Messages {
  readonly limit: number;
  readonly onLine: OnLine;
}

/** `onPrint` gets what it prints, by line, several at a time. Without `messages` stdout is print like stderr. */
export function startChild(command: RunnerCommand, onPrint: (lines: readonly string[]) => void, messages?: Messages): Child {
  const words = keepLastWords();
  const { file, args } = leashedModel(command.file, command.args);
  const account = modelsAccount();
  // A group of its own: Ctrl-C in the terminal is for Lookout alone, and what the runner starts ends with it.
  const child = execa(file, args, { cwd: command.cwd, env: account === null ? command.env : { ...homeOf(account), ...command.env }, buffer: false, reject: false, detached: true, cleanup: false });
  const hear = (lines: readonly string[]): void => {
    words.add(lines);
    onPrint(lines);
  };
  listen(child.stderr, hear);
  if (messages === undefined) listen(child.stdout, hear);
  else {
    // A message without its line end was cut off by the process's end, and that is the news.
    const { push } = splitLines(messages.limit, messages.onLine);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      push(text);
      // Empty lines are no fault, and without end they would leave no time for anybody else.
      if (!/\S/.test(text)) rest(child.stdout, text.length / BLANKS_A_MS);
    });
  }
  child.stdin.on('error', () => {
    // A write to a process that is gone: `ended` tells why it went.
  });

  let cause: string | null = null;
  let over = false;
  // Once the group is gone its number may be somebody else's.
  const signalGroup = (signal: NodeJS.Signals): void => {
    if (child.pid === undefined || over) return;
    try {
      process.kill(-child.pid, signal);
    } catch {
      // Nobody is left in the group, which is what was wanted.
    }
  };
  child.once('exit', () => {
    signalGroup('SIGKILL');
    over = true;
    setTimeout(() => {
      child.stdout.destroy();
      child.stderr.destroy();
    }, PIPES_AFTER_EXIT_MS).unref();
  });
  const ended = child.then((result): End => ({ ok: !result.failed, code: result.exitCode ?? null, reason: cause ?? endInWords(result), cause: result.cause }));

  const endsWithin = async (ms: number): Promise<boolean> => {
    const awake = new AbortController();
    try {
      return await Promise.race([ended.then(() => true), systemClock.sleep(ms, awake.signal).then(() => false)]);
    } finally {
      awake.abort();
    }
  };

  const stop: Child['stop'] = async (reason, { patience_ms, term_ms }) => {
    cause ??= reason;
    child.stdin.end();
    if (patience_ms > 0 && (await endsWithin(patience_ms))) return;
    signalGroup('SIGTERM');
    if (await endsWithin(term_ms)) return;
    signalGroup('SIGKILL');
    await ended;
  };
  const memory: Child['memory'] = async () => (child.pid === undefined || over ? null : memoryOfTree(child.pid));
  if (typeof command.memory_mb === 'number') void keepWithin(command.memory_mb, memory, ended, stop);

  return {
    stdin: child.stdin,
    ended,
    lastWords: words.text,
    memory,
    stop,
  };
}

/** Ends a process that takes more memory than it may. A limit of its address space would count what it never touches. */
async function keepWithin(memory_mb: number, memory: Child['memory'], ended: Child['ended'], stop: Child['stop']): Promise<void> {
  const awake = new AbortController();
  void ended.then(() => { awake.abort(); });
  while (!awake.signal.aborted) {
    const megabytes = ((await memory()) ?? 0) / 1e6;
    if (megabytes > memory_mb) {
      await stop(`was ended: it took ${Math.round(megabytes)} MB of memory, more than its memory_mb of ${memory_mb}`, AT_ONCE);
      return;
    }
    await systemClock.sleep(MEMORY_LOOK_MS, awake.signal);
  }
}

function endInWords({ exitCode, signal, originalMessage }: { exitCode?: number | undefined; signal?: string | undefined; originalMessage?: string | undefined }): string {
  if (signal !== undefined) return killedBy(signal);
  if (exitCode !== undefined) return `exited with code ${exitCode}`;
  return `could not be started: ${originalMessage ?? 'no reason given'}`;
}
