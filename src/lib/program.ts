/** Asks programs of this machine whether they are there. */
import { execa } from 'execa';
import { forTools } from './environment.ts';

/** First line of what the program says when run with these words; null: it cannot be run, or fails. */
export async function ask(file: string, args: readonly string[]): Promise<string | null> {
  const { stdout, failed } = await execa(file, args, { reject: false, env: forTools() });
  return failed ? null : (stdout.split('\n')[0] ?? '');
}
