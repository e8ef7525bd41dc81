/** Variables that may hold a secret: from the environment, or better from a file, which no other program is shown. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasCode } from '../lib/files.ts';

/** What a variable is, or why that cannot be told; neither: there is none. */
export interface Variable {
  readonly value?: string;
  readonly problem?: string;
}

/**
 * NAME itself, else what stands in the file that NAME_FILE names, as images for containers have it, else systemd's
 * credential of that name. A line end behind it is the editor's.
 */
export function variable(env: NodeJS.ProcessEnv, name: string): Variable {
  // Every object has a `constructor`, which is no variable.
  const own = (word: string): string | undefined => (Object.hasOwn(env, word) ? env[word] : undefined);
  const [value, named, credentials] = [own(name), own(`${name}_FILE`) || undefined, own('CREDENTIALS_DIRECTORY') || undefined];
  if (value && named !== undefined) return { problem: `${name} and ${name}_FILE are both set; keep the file` };
  if (named !== undefined) return readText(named, (why) => ({ problem: `${name}_FILE cannot be read: ${why}` }));
  const given = value === undefined ? {} : { value };
  if (value || credentials === undefined) return given;
  return readText(join(credentials, name), (why, isAbsent) => (isAbsent ? given : { problem: `the credential ${name} cannot be read: ${why}` }));
}

/** In one go: settings are read before anything else is done. */
function readText(file: string, otherwise: (why: string, isAbsent: boolean) => Variable): Variable {
  try {
    return { value: readFileSync(file, 'utf8').replace(/\r?\n$/, '') };
  } catch (error) {
    return otherwise(String(error), hasCode(error, 'ENOENT'));
  }
}
