/** Settings of a lookout.yaml in a folder of a test's own. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadConfig, type Loaded } from '../../src/config/load.ts';
import { LookoutError } from '../../src/errors.ts';

export interface Written {
  readonly load: (yaml: string, env?: NodeJS.ProcessEnv) => Promise<Loaded>;
  /** The lines of the error. */
  readonly problems: (yaml: string, env?: NodeJS.ProcessEnv) => Promise<readonly string[]>;
}

export function written(folder: () => string): Written {
  async function load(yaml: string, env: NodeJS.ProcessEnv = {}): Promise<Loaded> {
    await mkdir(join(folder(), 'data'), { recursive: true });
    await writeFile(join(folder(), 'data/lookout.yaml'), yaml);
    return loadConfig({ flags: {}, env, cwd: folder() });
  }
  return {
    load,
    async problems(yaml, env) {
      const error: unknown = await load(yaml, env).then(() => null, (thrown: unknown) => thrown);
      if (!(error instanceof LookoutError)) throw new Error('the settings were accepted', { cause: error });
      return error.message.split('\n').slice(1).map((line) => line.replaceAll(join(folder(), 'data/'), ''));
    },
  };
}
