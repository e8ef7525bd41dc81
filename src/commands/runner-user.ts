/** `runner_user`: finds out before anything is started whether models can run as it, and lets it reach what they need. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LookoutError } from '../errors.ts';
import { giveToModels, letModelsPass, makeReadable, runModelsAs, type Account } from '../lib/account.ts';
import { forTools } from '../lib/environment.ts';
import { isThere, makeFolder } from '../lib/files.ts';
import { packageRoot } from '../lib/package.ts';
import { ask } from '../runtimes/tools/run.ts';
import type { Config } from '../types.ts';

/** By their numbers: what a process needs to start others as somebody else, to end them, and to share its files with them. */
const CAPABILITIES = { chown: 0, dac_override: 1, fowner: 3, fsetid: 4, kill: 5, setgid: 6, setuid: 7 };

/** What models use of the data folder. */
const THEIRS = ['runtimes', 'weights', 'work', 'runner-home'];

/** Says of each place whether it can be passed through (`x:…`) or read as well (`r:…`). */
const REACH = 'for place; do path=${place#?:}; [ -x "$path" ] && { [ "${place%%:*}" = x ] || [ -r "$path" ]; } || { echo "$path" >&2; exit 3; }; done';

/** Names those that can be read. */
const READABLE = 'for path; do if [ -r "$path" ]; then echo "$path"; fi; done';

/** Throws `config_invalid` where it cannot work. Tells what models can read and should not: `settings` is the lookout.yaml. */
export async function useRunnerUser(name: string, { data_dir, frames_dir, models_dir, project, predictions }: Config, settings: string | null, signal: AbortSignal): Promise<readonly string[]> {
  const missing = await missingCapabilities();
  if (missing.length > 0) throw refused(`Lookout must be root to run models as ${name}, or have the capabilities ${Object.keys(CAPABILITIES).join(', ')}; it lacks ${missing.join(', ')}`);
  const account = await accountOf(name, data_dir, signal);
  if (account.uid === 0 || account.uid === process.geteuid?.()) throw refused(`${name} must be neither root nor the user that Lookout runs as`);
  const groups = await ask({ file: 'id', args: ['-G', account.name], cwd: '/', env: forTools() }, signal);
  if (groups.split(/\s+/).includes(String(process.getegid?.()))) throw refused(`${name} must not be in Lookout's own group, which may read what Lookout makes`);

  for (const folder of [data_dir, frames_dir, join(data_dir, 'work')]) await makeFolder(folder);
  runModelsAs(account);
  for (const folder of [data_dir, frames_dir, join(data_dir, 'work')]) await letModelsPass(folder);
  for (const folder of ['runtimes', 'weights']) await makeReadable(join(data_dir, folder));
  if (account.home === ownHome(data_dir)) {
    await makeFolder(account.home);
    await giveToModels(account.home);
  }

  const readable = [join(packageRoot, 'runners'), join(packageRoot, 'models'), models_dir, ...(project === null ? [] : [project])];
  const there = await Promise.all(readable.map(isThere));
  const places = [`x:${process.execPath}`, ...[data_dir, frames_dir].map((folder) => `x:${folder}`), ...readable.filter((_, place) => there[place]).map((folder) => `r:${folder}`)];
  const run = (script: string, paths: readonly string[]): Promise<string> => ask({ file: '/bin/sh', args: ['-c', script, 'sh', ...paths], cwd: '/', env: forTools() }, signal);
  await run(REACH, places).catch((error: unknown) => {
    throw refused(`nothing can be run as ${name}, or it cannot reach what models need; let it read the folder named last, or install setpriv of util-linux: ${(error as Error).message}`);
  });
  // Files and folders of before keep their mode.
  const theirs = [...readable, ...THEIRS.map((folder) => join(data_dir, folder))];
  const kept = (await readdir(data_dir)).map((one) => join(data_dir, one)).filter((path) => !theirs.some((place) => `${place}/`.startsWith(`${path}/`)));
  const open = (await run(READABLE, [...new Set([...(settings === null ? [] : [settings]), predictions, ...kept])])).split('\n').filter((path) => path !== '');
  return open.length === 0 ? [] : [`models, which run as ${name}, can read ${open.join(', ')}; if they are not to, take it from others with chmod o-rwx, and from a group of theirs with chmod g-rwx`];
}

/** Those that this process does not have; none where this system does not tell. */
async function missingCapabilities(): Promise<readonly string[]> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  const [, mask] = /^CapEff:\s*([0-9a-f]+)$/m.exec(status) ?? [];
  if (mask === undefined) return process.geteuid?.() === 0 ? [] : Object.keys(CAPABILITIES);
  return Object.entries(CAPABILITIES).filter(([, bit]) => ((BigInt(`0x${mask}`) >> BigInt(bit)) & 1n) === 0n).map(([name]) => name);
}

async function accountOf(name: string, data_dir: string, signal: AbortSignal): Promise<Account> {
  const line = await ask({ file: 'getent', args: ['passwd', name], cwd: '/', env: forTools() }, signal).catch(() => '');
  const [login = '', , uid, gid, , home = ''] = line.split(':');
  if (!/^\d+$/.test(uid ?? '') || !/^\d+$/.test(gid ?? '')) throw refused(`there is no user ${name} on this machine; make one, e.g. useradd --system ${name}`);
  // Users of services often have none.
  const hasHome = await stat(home).then((found) => found.isDirectory(), () => false);
  return { name: login, uid: Number(uid), gid: Number(gid), home: hasHome ? home : ownHome(data_dir) };
}

const ownHome = (data_dir: string): string => join(data_dir, 'runner-home');

function refused(why: string): LookoutError {
  return new LookoutError('config_invalid', `runner_user: ${why}`);
}
