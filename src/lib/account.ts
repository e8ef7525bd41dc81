/**
 * The user that models and their builds run as, where `runner_user` names another than Lookout's own. One for the whole
 * process, told before anything is started, as the umask is.
 *
 * What that user may write to is in the hands of whatever model runs: nothing there is written, read or removed in a way
 * that would follow a link which a model has put in its place.
 */
import type { Stats } from 'node:fs';
import { chmod, chown, copyFile, constants, lchown, lstat, open, rm, stat } from 'node:fs/promises';
import type { Environment } from './environment.ts';
import { hasCode, makeFolder, readAt } from './files.ts';
import { run } from './program.ts';

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

let account: Account | null = null;

/** null: Lookout's own. */
export function modelsAccount(): Account | null {
  return account;
}

export function runModelsAs(other: Account | null): void {
  account = other;
}

/** Words that run what follows them as this user, with its groups, and with nothing that could lead back. */
export function asUser({ uid, gid }: Account): readonly string[] {
  return ['setpriv', '--reuid', String(uid), '--regid', String(gid), '--init-groups', '--inh-caps=-all', '--ambient-caps=-all', '--no-new-privs', '--'];
}

/** What would lead that user to Lookout's own home. */
export function homeOf({ name, home }: Account): Environment {
  return {
    HOME: home, USER: name, LOGNAME: name,
    XDG_RUNTIME_DIR: undefined, XDG_CACHE_HOME: undefined, XDG_CONFIG_HOME: undefined, XDG_DATA_HOME: undefined, XDG_STATE_HOME: undefined,
  };
}

const PASS = 0o010;
/** What is made in a folder is its group's. */
const PASS_ON = 0o2000;
const READ = PASS_ON | 0o050;

/** Lets models pass through a folder to what lies in it, and no more: what is made there later is not their group's. */
export async function letModelsPass(folder: string): Promise<void> {
  if (account === null) return;
  await letGroup(account, folder, await stat(folder), PASS);
  const { mode, gid } = await stat(folder);
  if (gid === account.gid) await chmod(folder, mode & 0o7777 & ~PASS_ON);
}

/** Lets models read a file, or look into a folder, that is not theirs to change. */
export async function letModelsRead(path: string): Promise<void> {
  if (account === null) return;
  const facts = await stat(path);
  const bits = facts.isDirectory() ? 0o050 : 0o040;
  const isLet = facts.gid === account.gid && (facts.mode & bits) === bits;
  if (!isLet) await letGroup(account, path, facts, bits);
}

/** What everybody may do already, or its group shares with others, stays as it is. */
async function letGroup(to: Account, path: string, { mode, uid, gid }: Stats, bits: number): Promise<void> {
  const isSharedOtherwise = (mode & 0o070) !== 0 && gid !== process.getegid?.() && gid !== to.gid;
  if ((mode & (bits >> 3)) === bits >> 3 || isSharedOtherwise) return;
  await chown(path, uid, to.gid);
  await chmod(path, (mode & 0o7707) | bits);
}

/** Makes a folder in which models read what is made there later, too. */
export async function makeReadable(folder: string): Promise<void> {
  await makeFolder(folder);
  if (account === null) return;
  const { mode, uid } = await stat(folder);
  await chown(folder, uid, account.gid);
  await chmod(folder, (mode & 0o7777) | READ);
}

/** Gives a folder to models, to write to; one that was Lookout's with what models made in it as Lookout's own user. */
export async function giveToModels(folder: string): Promise<void> {
  if (account === null) return;
  if ((await lstat(folder)).uid === process.geteuid?.()) await run('chown', ['-Rh', '--', `${account.uid}:${account.gid}`, folder]);
  else await lchown(folder, account.uid, account.gid);
}

/** A copy that a model may read and not change. */
export async function copyForModels(file: string, target: string): Promise<void> {
  await copyFile(file, target, constants.COPYFILE_FICLONE);
  if (account === null) return;
  // From Node 22 on a copy has its original's owner and group, whoever makes it and wherever.
  await chown(target, process.geteuid?.() ?? -1, account.gid);
  await chmod(target, 0o440);
}

/** What lies where a model was to leave a file is none, or too large to be read. */
export class Unfit extends Error {}

/** The text of a file that a model wrote or can write to, of `most` bytes at most. Throws Unfit for what else a model may have put there. */
export async function readOfModels(path: string, most: number): Promise<string> {
  // A pipe would be waited at for ever, by a thread that nothing frees.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | (account === null ? 0 : constants.O_NOFOLLOW)).catch((error: unknown) => {
    throw hasCode(error, 'ELOOP', 'ENXIO') ? new Unfit('it is a link or a socket', { cause: error }) : error;
  });
  try {
    const facts = await file.stat();
    if (!facts.isFile()) throw new Unfit('it is no file');
    if (facts.size > most) throw new Unfit(`it has ${facts.size} bytes, more than ${most}`);
    return (await readAt(file, 0, facts.size)).toString();
  } finally {
    await file.close();
  }
}

/** Removes what models have made, or a folder that they may write to meanwhile: `rm` holds on to the folders that it is in, Node goes by their names. */
export async function removeOfModels(path: string): Promise<void> {
  if (account === null) await rm(path, { recursive: true, force: true, maxRetries: 3 });
  else await run('rm', ['-rf', '--', path]);
}
