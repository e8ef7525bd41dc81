/** Counts the files that are opened while something is done. */
import { createHook } from 'node:async_hooks';

export async function openedFiles(work: () => Promise<unknown>): Promise<number> {
  let opened = 0;
  const hook = createHook({ init: (_id, type) => { if (type === 'FILEHANDLE') opened += 1; } }).enable();
  try {
    await work();
  } finally {
    hook.disable();
  }
  return opened;
}
