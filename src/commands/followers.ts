/** `lookout followers`: how those do who follow the logs of a server that runs, and what may be asked of them. */
import { LookoutError } from '../errors.ts';
import { inOneLine } from '../lib/terminal.ts';
import type { FollowerStatus } from '../types.ts';
import { print, type CommandContext } from './context.ts';
import { asker, baseOf, messageOf, tokenOf, whyNot, type Ask } from './running-server.ts';

/** For what takes as long as a target takes, once or for many items; Node itself waits 300 s at the most. */
const DONE_MS = 240_000;

export interface ServerOptions {
  readonly url: string;
  readonly tokenFile: string | null;
}

/** Resolves with the exit code: 1 where one waits for its target. */
export async function listFollowers(context: CommandContext, server: ServerOptions): Promise<number> {
  const { followers } = await answerOf(context, server, 'api/followers') as { readonly followers: readonly FollowerStatus[] };
  if (followers.length === 0) print('There are none: lookout.yaml names no followers.');
  for (const line of table(followers)) print(line);
  return followers.some(({ state }) => state === 'waiting') ? 1 : 0;
}

export async function testFollower(context: CommandContext, server: ServerOptions, name: string): Promise<number> {
  const { reached } = await answerOf(context, server, pathOf(name, 'test'), {}, DONE_MS);
  print(inOneLine(String(reached)));
  return 0;
}

export async function rewindFollower(context: CommandContext, server: ServerOptions, name: string, to: string): Promise<number> {
  await answerOf(context, server, pathOf(name, 'rewind'), { to }, DONE_MS);
  print(`${name} goes on from ${to}`);
  return 0;
}

export async function retryFollower(context: CommandContext, server: ServerOptions, name: string): Promise<number> {
  const { taken } = await answerOf(context, server, pathOf(name, 'retry'), {}, DONE_MS);
  print(`${inOneLine(String(taken))} of those that were set aside were taken`);
  return 0;
}

const pathOf = (name: string, what: string): string => `api/followers/${encodeURIComponent(name)}/${what}`;

/** Throws what the server says is wrong. */
async function answerOf({ flags, signal }: CommandContext, { url, tokenFile }: ServerOptions, ...asked: Parameters<Ask>): Promise<Readonly<Record<string, unknown>>> {
  const base = baseOf(url);
  const ask = asker(base, await tokenOf(tokenFile, flags), signal);
  const { status, body } = await ask(...asked).catch((error: unknown) => {
    signal.throwIfAborted();
    throw new LookoutError('target_away', `${base.origin} does not answer: ${whyNot(error)}`, { cause: error });
  });
  if (status === 200) return body;
  throw new LookoutError(status < 500 ? 'bad_request' : 'target_away', `${base.origin} answers ${status}: ${inOneLine(messageOf(body))}`);
}

function table(followers: readonly FollowerStatus[]): readonly string[] {
  const rows = followers.map(({ name, type, target, state, reason, lag_items, delivered, set_aside, lost }) => [
    name, type, state, `${lag_items} behind`, `${delivered} delivered`, `${set_aside} set aside`, lost > 0 ? `${lost} lost` : '', target, reason,
  ].map(inOneLine));
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd());
}
