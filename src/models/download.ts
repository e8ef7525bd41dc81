/** Fetches one file whole or not at all: resumed after a break, checked by its hash and its beginning, put in place by rename; what was there is kept beside it. */
import { open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { inBytes } from '../lib/amount.ts';
import { backoffMs, systemClock } from '../lib/clock.ts';
import { makeFolder } from '../lib/files.ts';
import { linked } from '../lib/linked.ts';
import { hideCredentials } from '../lib/secrets.ts';
import { storageOf } from '../lib/storage.ts';
import { isNoRoom } from '../lib/transient.ts';
import type { Progress } from '../types.ts';
import { noWeightsIn } from './beginning.ts';
import { sha256 as hashOf } from './hashing.ts';
import { isFile } from './paths.ts';

export interface Download {
  readonly url: string;
  /** null: what comes is taken as it is. */
  readonly sha256: string | null;
  readonly target: string;
  /** The server must have begun its answer by then. */
  readonly connect_ms: number;
  /** Tries in a row that bring nothing new before it is given up. */
  readonly tries: number;
}

/** A server that sends nothing for this long is taken for gone. */
const STALL_MS = 30_000;
const REPORT_EVERY_MS = 1_000;

/** The server said no: asking again would not help. */
class Refused extends Error {}

/** More is to come than there is room for. */
class TooLarge extends Error {}

export async function download({ url: address, ...what }: Download, progress: Progress, signal: AbortSignal): Promise<void> {
  const { target, sha256 } = what;
  const part = `${target}.part`;
  const name = basename(target);
  await makeFolder(dirname(target));
  // Without a hash nobody could tell that the beginning is from another version of the file.
  if (sha256 === null) await rm(part, { force: true });
  const { url, authorization } = withoutCredentials(address);
  const request = { ...what, url, authorization, validator: null };
  progress(`fetching ${name} from ${new URL(url).host}`);
  const resumed = await receiveWhole(request, part, progress, signal);

  let got = await hashOf(part, signal);
  if (resumed && sha256 !== null && got !== sha256) {
    progress(`${name} has the sha256 ${got}, not ${sha256}: its beginning may be of another version; fetching it anew`);
    await rm(part, { force: true });
    await receiveWhole(request, part, progress, signal);
    got = await hashOf(part, signal);
  }
  if (sha256 !== null && got !== sha256) {
    await rm(part, { force: true });
    throw new Error(`${name} from ${hideCredentials(url)} has the sha256 ${got}, not ${sha256}; it was deleted`);
  }
  const instead = await noWeightsIn(part);
  if (instead !== null) {
    // Once in place it would be found for ever, and refused.
    await rm(part, { force: true });
    throw new Error(`${hideCredentials(url)}: what came is ${instead}; it was deleted`);
  }
  await putAside(target, progress);
  await rename(part, target);
  progress(`${name} is there; its sha256 is ${got}${sha256 === null ? ' and was not checked' : ', as it must be'}`);
}

/** Nobody's file is lost: it may be a user's own. Only now that there is another to take its place. */
async function putAside(target: string, progress: Progress): Promise<void> {
  if (!(await isFile(target))) return;
  let aside = `${target}.old`;
  for (let number = 2; await isFile(aside); number += 1) aside = `${target}.old${number}`;
  await rename(target, aside);
  progress(`${target} was not the file with the sha256 that the manifest names, so it is now ${basename(aside)}`);
}

/** What is asked for, and which version of it the last answer was: ETag or Last-Modified, null where neither was said. */
interface Request extends Download {
  readonly authorization: string | null;
  validator: string | null;
}

/** fetch refuses an address with a name and password in it, and says both. */
function withoutCredentials(address: string): { readonly url: string; readonly authorization: string | null } {
  const url = new URL(address);
  const [user, password] = [url.username, url.password].map(decoded);
  url.username = '';
  url.password = '';
  return { url: url.href, authorization: user || password ? `Basic ${Buffer.from(`${user ?? ''}:${password ?? ''}`).toString('base64')}` : null };
}

/** As it is written where it has a % that begins no code. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Whether it went on from what was there already. */
async function receiveWhole(what: Request, part: string, progress: Progress, signal: AbortSignal): Promise<boolean> {
  let resumed = false;
  for (let tries = 0; ; ) {
    const before = await sizeOf(part);
    resumed ||= before > 0;
    try {
      await receive(what, part, progress, signal);
      return resumed;
    } catch (error) {
      signal.throwIfAborted();
      const full = isNoRoom(error) || error instanceof TooLarge;
      if (full) await rm(part, { force: true });
      tries = (await sizeOf(part)) > before ? 1 : tries + 1;
      const reason = isNoRoom(error) ? `no space is left for it in ${dirname(part)}` : inWords(error);
      if (full || error instanceof Refused || tries >= what.tries) throw new Error(`${hideCredentials(what.url)}: ${reason}`, { cause: error });
      progress(`${basename(what.target)}: ${reason}; trying again`);
      await systemClock.sleep(backoffMs(tries, 500, 10_000), signal);
    }
  }
}

/** One request for what is still missing. Returns when nothing is; throws on a break, keeping what has come. */
async function receive(what: Request, part: string, progress: Progress, signal: AbortSignal): Promise<void> {
  const { url, target, connect_ms, authorization, validator, sha256 } = what;
  const limit = linked(signal);
  let timer: NodeJS.Timeout | undefined;
  const wait = (ms: number): void => {
    clearTimeout(timer);
    timer = setTimeout(() => { limit.abort(new Error(`nothing came for ${ms / 1000} s`)); }, ms);
  };
  wait(connect_ms);
  try {
    // With neither a version nor a hash nobody could tell that the rest belongs to the beginning.
    const have = validator === null && sha256 === null ? 0 : await sizeOf(part);
    const headers = {
      'accept-encoding': 'identity',
      ...(authorization !== null && { authorization }),
      ...(have > 0 && { range: `bytes=${have}-` }),
      ...(have > 0 && validator !== null && { 'if-range': validator }),
    };
    const response = await fetch(url, { headers, signal: limit.signal });
    if (response.status === 416 && response.headers.get('content-range') === `bytes */${have}`) return;
    if (response.status === 416) await rm(part, { force: true });
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      throw refusal(response);
    }

    const resumed = response.status === 206;
    const version = validatorOf(response);
    const fits = response.headers.get('content-range')?.startsWith(`bytes ${have}-`) === true && (validator === null || version === null || version === validator);
    if (resumed && !fits) {
      await response.body.cancel();
      await rm(part, { force: true });
      throw new Error('the server went on with another file');
    }
    what.validator = version;
    const total = (resumed ? have : 0) + Number(response.headers.get('content-length') ?? Number.NaN);
    // What is there is gone on with, or written over.
    const lack = await lackOf(total - (await sizeOf(part)), dirname(part));
    if (lack !== null) {
      await response.body.cancel();
      throw new TooLarge(lack);
    }
    let size = resumed ? have : 0;
    let reported = -Infinity;
    const file = await open(part, resumed ? 'a' : 'w');
    try {
      for await (const chunk of response.body) {
        wait(STALL_MS);
        await file.writeFile(chunk as Uint8Array);
        size += (chunk as Uint8Array).byteLength;
        if (performance.now() - reported < REPORT_EVERY_MS) continue;
        reported = performance.now();
        progress(`${basename(target)}: ${Number.isNaN(total) ? `${Math.round(size / 1e5) / 10} MB` : `${Math.floor((100 * size) / total)} %`}`);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    if (!Number.isNaN(total) && size !== total) throw new Error(`${size} of ${total} bytes came`);
  } finally {
    clearTimeout(timer);
    limit.release();
  }
}

/**
 * Why so many bytes cannot be taken; null: they can, or nobody knows how many come (NaN). What can never fit would have others let
 * go of all that they keep before it failed.
 */
async function lackOf(bytes: number, folder: string): Promise<string | null> {
  const { free, size } = await storageOf(folder);
  // Some file systems do not tell.
  if (size.bytes === 0 || !(bytes > free.bytes)) return null;
  return `no space is left for it in ${folder}: ${inBytes(bytes)} are to come, ${inBytes(free.bytes)} are free`;
}

/** As If-Range takes it: a weak ETag says too little. */
function validatorOf({ headers }: Response): string | null {
  const tag = headers.get('etag');
  return tag !== null && !tag.startsWith('W/') ? tag : headers.get('last-modified');
}

function refusal({ status, statusText }: Response): Error {
  const message = `the server answered ${status} ${statusText}`.trim();
  return status >= 500 || status === 429 || status === 408 || status === 416 ? new Error(message) : new Refused(message);
}

/** fetch says `fetch failed` and hides the reason in its cause. */
function inWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(({ size }) => size, () => 0);
}
