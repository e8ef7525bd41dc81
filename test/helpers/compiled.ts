/** The part of src that children in these tests run, as JavaScript in a folder of its own: they are plain Node. */
import { copyFile, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Compiled {
  /** Holds lib/, log/ and the parts asked for as in dist. */
  readonly folder: string;
  remove(): Promise<void>;
}

export async function compileSources(...parts: readonly string[]): Promise<Compiled> {
  const folder = await mkdtemp(join(tmpdir(), 'lookout-compiled-'));
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  for (const part of ['', 'lib', 'log', ...parts]) {
    await mkdir(join(folder, part), { recursive: true });
    for (const file of await readdir(join(root, 'src', part))) {
      if (!file.endsWith('.ts')) continue;
      const built = file.replace(/ts$/, 'js');
      await copyFile(join(root, 'dist', part, built), join(folder, part, built));
    }
  }
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}
