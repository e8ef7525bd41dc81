/** Runs one tool to its end: an installer, a probe, a question to an interpreter. Aborting kills it within a second. */
import { basename, isAbsolute } from 'node:path';
import type { Progress } from '../../types.ts';
import { AT_ONCE, startChild, type Child } from '../../runner/child.ts';
import type { RunnerCommand } from '../../runner/command.ts';
import { quoteLastWords } from '../../runner/last-words.ts';
import { complaintIn } from './installer-words.ts';

const MAX_LINE = 1024 * 1024;

export class ToolFailed extends Error {
  /** Its exit code; null when it was killed or never started. */
  readonly code: number | null;
  /** The one line that says why; null: nobody knows which. */
  readonly complaint: string | null;

  constructor(message: string, code: number | null, complaint: string | null) {
    super(message);
    this.code = code;
    this.complaint = complaint;
  }
}

/** After so long a tool is ended; with `renewed`, after so long without a line. `why` follows its name. */
export interface Limit {
  readonly ms: number;
  readonly renewed: boolean;
  readonly why: string;
}

/** Installers fetch a gigabyte without a word, over a slow line too. */
const SILENT_HOURS = 2;
const SILENCE: Limit = { ms: SILENT_HOURS * 3_600_000, renewed: true, why: `said nothing for ${SILENT_HOURS} hours and was ended` };

/** Tells every line that the tool writes. Throws with its last ones when it fails, or takes too long. */
export async function run(command: RunnerCommand, progress: Progress, signal: AbortSignal, { ms, renewed, why }: Limit = SILENCE): Promise<void> {
  signal.throwIfAborted();
  const child = startChild(command, (lines) => {
    if (renewed) timer.refresh();
    for (const line of lines) progress(line);
  });
  const timer = setTimeout(() => void child.stop(why, AT_ONCE), ms);
  try {
    await finish(command, child, signal);
  } finally {
    clearTimeout(timer);
  }
}

/** What the tool writes to stdout. */
export async function ask(command: RunnerCommand, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  const lines: string[] = [];
  await finish(command, startChild(command, () => undefined, { limit: MAX_LINE, onLine: (line) => lines.push(line) }), signal);
  return lines.join('\n');
}

async function finish(command: RunnerCommand, child: Child, signal: AbortSignal): Promise<void> {
  const abort = (): void => void child.stop('was cancelled', AT_ONCE);
  signal.addEventListener('abort', abort);
  child.stdin.end();
  try {
    const { ok, reason, code } = await child.ended;
    signal.throwIfAborted();
    if (ok) return;
    const words = child.lastWords();
    const complaint = complaintIn(words);
    const what = `${nameOf(command)} ${reason}.`;
    throw new ToolFailed(complaint === null ? `${what}${quoteLastWords(words)}` : `${complaint.trim()}\n${what}${quoteLastWords(words, complaint)}`, code, complaint);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** The first words of a command, without folders: `python pip install`. */
function nameOf({ file, args }: RunnerCommand): string {
  return [file, ...args.slice(0, 3)].map((word) => (isAbsolute(word) ? basename(word) : word)).join(' ');
}
