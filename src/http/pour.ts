/** Writes an answer that goes on and on, as fast as its reader takes it. */
import { once } from 'node:events';
import type { Response } from 'express';
import { linked } from '../lib/linked.ts';

/** Who takes nothing for so long has gone, or is not to hold a place. */
const LONGEST_PAUSE_MS = 30_000;
/** Waiting for a reader costs more than holding a little for him. */
const MOST_HELD_BYTES = 256 * 1024;

/** Ends with the chunks, or when the reader is gone or takes nothing more. */
export async function pour(response: Response, chunks: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
  for await (const chunk of chunks) {
    if (signal.aborted) return;
    if (response.write(chunk) || response.writableLength < MOST_HELD_BYTES) continue;
    if (await drained(response, signal)) continue;
    // Not in order: its reader would take what it has for all there was.
    response.destroy();
    return;
  }
  response.end();
}

/** Whether its reader took enough to be given more, within patience. */
async function drained(response: Response, signal: AbortSignal): Promise<boolean> {
  const patience = linked(signal);
  const timer = setTimeout(() => { patience.abort(); }, LONGEST_PAUSE_MS);
  try {
    await once(response, 'drain', { signal: patience.signal });
    return true;
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
    patience.release();
  }
}

/** Aborts when the reader is gone. */
export function untilGone(response: Response): AbortSignal {
  const gone = new AbortController();
  if (response.destroyed) gone.abort();
  response.once('close', () => { gone.abort(); });
  return gone.signal;
}
