/** Tells by its beginning what bears the name of weights and holds none. */
import { open } from 'node:fs/promises';

const LFS_POINTER = 'version https://git-lfs';

export type NoWeights = 'an empty file' | 'a Git LFS pointer' | 'a web page';

/** null: they may be weights. Throws what the system says where it cannot be read. */
export async function noWeightsIn(file: string): Promise<NoWeights | null> {
  const beginning = await beginningOf(file);
  if (beginning === '') return 'an empty file';
  if (beginning.startsWith(LFS_POINTER)) return 'a Git LFS pointer';
  return /^\s*<(!doctype\s+)?html/i.test(beginning) ? 'a web page' : null;
}

async function beginningOf(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(64), 0, 64, 0);
    return buffer.toString('latin1', 0, bytesRead);
  } finally {
    await file.close();
  }
}
