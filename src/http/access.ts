/** What is asked of clients: the token that was set, or one of Lookout's own where others come in and nobody set one. */
import { randomBytes } from 'node:crypto';
import { chmod, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { putAside } from '../lib/aside.ts';
import { hasCode, writeAtomically } from '../lib/files.ts';
import type { Log } from '../lib/log.ts';
import { letsOthersIn } from '../lib/loopback.ts';
import type { Config } from '../types.ts';

export interface Access {
  /** null: nothing is asked for. */
  readonly token: string | null;
  /** Of a token of Lookout's own: where it is kept. */
  readonly file: string | null;
  /** It was made just now, and nobody has seen it. */
  readonly isNew: boolean;
}

/** Shorter ones can be guessed. */
const SHORTEST = 16;
const BYTES = 32;
const OWNER_ONLY = 0o600;

/** The data folder must be this process's own by now. */
export async function provideAccess(config: Pick<Config, 'host' | 'runner_user' | 'token' | 'insecure' | 'allowed_hosts' | 'data_dir'>, log: Log): Promise<Access> {
  const { runner_user, token, insecure, allowed_hosts, data_dir } = config;
  if (token !== null) {
    if (token.length < SHORTEST) log.warn(`the token has ${token.length} characters and can be guessed; give it at least ${SHORTEST}, made by chance`);
    return { token, file: null, isNew: false };
  }
  if (!letsOthersIn(config) || insecure) {
    if (runner_user !== null) log.warn(`insecure: models, which run as ${runner_user}, may ask for every record and picture and start streams, as no token is asked for; leave it out, and one is made`);
    if (allowed_hosts.length > 0) log.warn(`allowed_hosts names ${allowed_hosts.join(', ')}, and no token is asked for: whoever comes by a proxy of that name may do everything, unless the proxy asks for a login; set token`);
    return { token, file: null, isNew: false };
  }
  const file = join(data_dir, 'token');
  const kept = await readKept(file, log);
  if (kept !== null) return { token: kept, file, isNew: false };
  const made = randomBytes(BYTES).toString('base64url');
  await writeAtomically(file, `${made}\n`, { mode: OWNER_ONLY });
  return { token: made, file, isNew: true };
}

/** What to tell whoever started the server. What is not a terminal is kept by somebody: the token itself is not for it. */
export function accessInWords({ token, file, isNew }: Access, isTerminal: boolean): readonly string[] {
  if (token === null || file === null) return [];
  const where = `Others are let in, by host or runner_user, so clients must send the token in ${file}: as a Bearer, or as the password that a browser asks for.`;
  return isNew && isTerminal ? [where, `It is shown this once: ${token}`] : [where];
}

/** null: there is none that could be used. */
async function readKept(file: string, log: Log): Promise<string | null> {
  try {
    const kept = (await readFile(file, 'utf8')).trim();
    if (kept.length >= SHORTEST && /^[!-~]+$/.test(kept)) {
      await chmod(file, OWNER_ONLY).catch((error: unknown) => {
        if (!hasCode(error, 'EPERM', 'EROFS')) throw error;
        log.warn(`${file} is another user's to change: see that nobody but Lookout can read the token in it`);
      });
      return kept;
    }
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    if (!hasCode(error, 'EISDIR')) throw error;
  }
  log.warn(`${file} holds no token of at least ${SHORTEST} visible characters; it lies at ${await putAside(file)} now, and another one is made`);
  return null;
}
