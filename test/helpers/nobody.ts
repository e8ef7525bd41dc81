/** The user that owns nothing, for tests that root runs. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../../src/lib/package.ts';

export const NOBODY = 65_534;
export const AS_NOBODY = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'] as const;

const [program, ...words] = AS_NOBODY;

/** Only root may, and only where that user can read this project: in root's own home it cannot. */
export const mayRunAsNobody = process.getuid?.() === 0 && spawnSync(program, [...words, 'test', '-r', join(packageRoot, 'package.json')]).status === 0;

/** For a moment, within the test's own process. Debian's Node 20 lets nobody, lest its work with files goes on as another user. */
export const mayBecomeNobody = process.getuid?.() === 0 && canBecome();

function canBecome(): boolean {
  try {
    process.seteuid?.(NOBODY);
    process.seteuid?.(0);
    return true;
  } catch {
    // It has no other way to say so.
    return false;
  }
}
