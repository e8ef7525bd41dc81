/** A server that runs, as commands ask it: by its address, with its token. */
import { readFile } from 'node:fs/promises';
import { variable } from '../config/variables.ts';
import { errorInfo, LookoutError } from '../errors.ts';
import { isObject } from '../lib/objects.ts';
import type { CommandContext } from './context.ts';

/** For one answer, of what does not ask others itself. */
const ANSWER_MS = 10_000;

interface Answer {
  readonly status: number;
  /** The server's clock, in milliseconds. */
  readonly at: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** `sent`: it is a POST of this. */
export type Ask = (path: string, sent?: object, waitMs?: number) => Promise<Answer>;

export function asker(base: URL, token: string | null, signal: AbortSignal): Ask {
  // As the password of HTTP Basic: it may hold any character there.
  const headers = { accept: 'application/json', ...(token === null ? {} : { authorization: `Basic ${Buffer.from(`:${token}`).toString('base64')}` }) };
  return async (path, sent, waitMs = ANSWER_MS) => {
    const post = sent && { method: 'POST', body: JSON.stringify(sent) };
    // A redirect is not followed: the token is for this server.
    const answer = await fetch(new URL(path, base), { ...post, headers: { ...headers, ...(post && { 'content-type': 'application/json' }) }, redirect: 'manual', signal: AbortSignal.any([signal, AbortSignal.timeout(waitMs)]) }).catch(late(sent, waitMs));
    const text = await answer.text().catch(late(sent, waitMs));
    let body: unknown;
    try {
      body = JSON.parse(text);
    } catch {
      // A page of something else: its status is all there is to say.
      body = {};
    }
    const at = Date.parse(answer.headers.get('date') ?? '');
    return { status: answer.status, at: Number.isNaN(at) ? Date.now() : at, body: isObject(body) ? body : {} };
  };
}

/** Says of what took too long how long that was. */
function late(sent: object | undefined, waitMs: number): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof Error && error.name === 'TimeoutError')) throw error;
    throw new LookoutError('target_away', `no answer within ${waitMs / 1000} s${sent ? '; what it was asked to do may still go on' : ''}`, { cause: error });
  };
}

/** Throws `bad_request`. */
export function baseOf(address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (!url || !['http:', 'https:'].includes(url.protocol)) throw new LookoutError('bad_request', '--url must be an address such as http://host:5000');
  if (url.username !== '' || url.password !== '') throw new LookoutError('bad_request', '--url must hold no login, which everybody on the machine can read; give the token with --token-file');
  url.pathname = url.pathname.replace(/\/*$/, '/');
  url.search = url.hash = '';
  return url;
}

/** null: none is given. Throws `bad_request`. */
export async function tokenOf(file: string | null, flags: CommandContext['flags']): Promise<string | null> {
  if (file === null) {
    const { value, problem } = variable(process.env, 'LOOKOUT_TOKEN');
    if (problem !== undefined) throw new LookoutError('bad_request', problem);
    return (flags['token'] as string | undefined) ?? (value || null);
  }
  let token: string;
  try {
    token = (await readFile(file, 'utf8')).trim();
  } catch (error) {
    throw new LookoutError('bad_request', `--token-file cannot be read: ${errorInfo(error).message}`, { cause: error });
  }
  if (token === '') throw new LookoutError('bad_request', `--token-file ${file} is empty`);
  return token;
}

export function messageOf({ error }: Answer['body']): string {
  return typeof error === 'string' ? error : 'it does not say why';
}

/** Node says of every failure `fetch failed`, and why below. */
export function whyNot(error: unknown): string {
  if (error instanceof LookoutError) return error.message;
  return error instanceof Error && error.cause instanceof Error ? error.cause.message || String((error.cause as NodeJS.ErrnoException).code) : errorInfo(error).message;
}
