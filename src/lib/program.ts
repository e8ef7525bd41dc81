/**
 * Runs small programs of this machine. execa is a hundred files: it is loaded by those who run one, and not by each
 * command line and capture host.
 */
import { forTools } from './environment.ts';

/** First line of what the program says when run with these words; null: it cannot be run, or fails. */
export async function ask(file: string, args: readonly string[]): Promise<string | null> {
  const { execa } = await import('execa');
  const { stdout, failed } = await execa(file, args, { reject: false, env: forTools() });
  return failed ? null : (stdout.split('\n')[0] ?? '');
}

/** Throws when it cannot be run, or fails. */
export async function run(file: string, args: readonly string[]): Promise<void> {
  const { execa } = await import('execa');
  await execa(file, args, { env: forTools() });
}
