/** Counts the files that are opened by promises while something is done. */
import { createHook } from 'node:async_hooks';

export async function openedFiles(work: () => Promise<unknown>): Promise<number> {
  let opened = 0;
  // Node 26 reads a whole file by one request, without a handle.
  const hook = createHook({ init: (_id, type) => { if (type === 'FILEHANDLE' || type === 'FSREQCALLBACK') opened += 1; } }).enable();
  try {
    await work();
  } finally {
    hook.disable();
  }
  return opened;
}
