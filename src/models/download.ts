/** Fetches one file whole or not at all: resumed after a break, checked by its hash, put in place by rename. */
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { backoffMs, systemClock } from '../lib/clock.ts';
import { redact } from '../lib/log.ts';
import type { Progress } from '../types.ts';
import { sha256 as hashOf } from './hashing.ts';

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

export async function download(what: Download, progress: Progress, signal: AbortSignal): Promise<void> {
  const { target, sha256 } = what;
  const part = `${target}.part`;
  const name = basename(target);
  await mkdir(dirname(target), { recursive: true });
  // Without a hash nobody could tell that the beginning is from another version of the file.
  if (sha256 === null) await rm(part, { force: true });
  progress(`fetching ${name} from ${new URL(what.url).host}`);
  await receiveWhole(what, part, progress, signal);

  const got = await hashOf(part);
  if (sha256 !== null && got !== sha256) {
    await rm(part, { force: true });
    throw new Error(`${name} from ${redact(what.url)} has the sha256 ${got}, not ${sha256}; it was deleted`);
  }
  await rename(part, target);
  progress(`${name} is there; its sha256 is ${got}${sha256 === null ? ' and was not checked' : ', as it must be'}`);
}

async function receiveWhole(what: Download, part: string, progress: Progress, signal: AbortSignal): Promise<void> {
  for (let tries = 0; ; ) {
    const before = await sizeOf(part);
    try {
      await receive(what, part, progress, signal);
      return;
    } catch (error) {
      signal.throwIfAborted();
      tries = (await sizeOf(part)) > before ? 1 : tries + 1;
      const reason = inWords(error);
      if (error instanceof Refused || tries >= what.tries) throw new Error(`${redact(what.url)}: ${reason}`, { cause: error });
      progress(`${basename(what.target)}: ${reason}; trying again`);
      await systemClock.sleep(backoffMs(tries, 500, 10_000), signal);
    }
  }
}

/** One request for what is still missing. Returns when nothing is; throws on a break, keeping what has come. */
async function receive({ url, target, connect_ms }: Download, part: string, progress: Progress, signal: AbortSignal): Promise<void> {
  const patience = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const wait = (ms: number): void => {
    clearTimeout(timer);
    timer = setTimeout(() => { patience.abort(new Error(`nothing came for ${ms / 1000} s`)); }, ms);
  };
  wait(connect_ms);
  try {
    const have = await sizeOf(part);
    const headers = { 'accept-encoding': 'identity', ...(have > 0 && { range: `bytes=${have}-` }) };
    const response = await fetch(url, { headers, signal: AbortSignal.any([signal, patience.signal]) });
    if (response.status === 416 && response.headers.get('content-range') === `bytes */${have}`) return;
    if (response.status === 416) await rm(part, { force: true });
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      throw refusal(response);
    }

    const resumed = response.status === 206 && response.headers.get('content-range')?.startsWith(`bytes ${have}-`) === true;
    const total = (resumed ? have : 0) + Number(response.headers.get('content-length') ?? Number.NaN);
    let size = resumed ? have : 0;
    let reported = 0;
    const file = await open(part, resumed ? 'a' : 'w');
    try {
      for await (const chunk of response.body) {
        wait(STALL_MS);
        await file.writeFile(chunk as Uint8Array);
        size += (chunk as Uint8Array).byteLength;
        if (Date.now() - reported < REPORT_EVERY_MS) continue;
        reported = Date.now();
        progress(`${basename(target)}: ${Number.isNaN(total) ? `${Math.round(size / 1e5) / 10} MB` : `${Math.floor((100 * size) / total)} %`}`);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    if (!Number.isNaN(total) && size !== total) throw new Error(`${size} of ${total} bytes came`);
  } finally {
    clearTimeout(timer);
  }
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
