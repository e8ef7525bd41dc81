/** What to run as a runner: a program, its words, where, and what its environment gets beside ours. */
import type { Environment } from '../lib/environment.ts';

export interface RunnerCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** What is added to the environment of this process, and taken away from it. */
  readonly env: Environment;
  /** Megabytes (of a million bytes) that it and what it starts may hold; null or nothing: any. */
  readonly memory_mb?: number | null;
}
