/** `lookout doctor`: what Lookout needs on this machine, what is missing, and the command that mends it. */
import { constants } from 'node:fs';
import { access, mkdir, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { ask } from '../lib/program.ts';
import type { Config } from '../types.ts';
import { prepareCommand, print, type CommandContext } from './context.ts';

interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** Without it Lookout does not work at all. */
  readonly needed: boolean;
  readonly found: string;
  readonly mend: string;
}

const LOW_DISK_BYTES = 2_000_000_000;

export async function doctor(context: CommandContext): Promise<number> {
  const { config } = await prepareCommand(context);
  const checks = [node(), ...await Promise.all([
    program('ffmpeg', ['-version'], true, 'apt-get install -y ffmpeg'),
    program('python3', ['--version'], false, 'apt-get install -y python3 python3-venv'), venv(),
    program('uv', ['--version'], false, 'optional, makes Python environments faster: see docs.astral.sh/uv'),
    program('setpriv', ['--version'], false, 'apt-get install -y util-linux (without it a small watcher ends children)'),
    folder('data folder', config.data_dir), folder('frames folder', config.frames_dir), disk(config), port(config),
  ])];
  for (const { name, ok, found, mend } of checks) print(`${ok ? 'ok     ' : 'missing'} ${name.padEnd(14)} ${found}${ok ? '' : ` -> ${mend}`}`);
  return checks.some(({ ok, needed }) => needed && !ok) ? 1 : 0;
}

function node(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return { name: 'node', ok: major > 20 || (major === 20 && minor >= 19), needed: true, found: process.versions.node, mend: 'install Node 20.19 or later' };
}

async function program(name: string, args: readonly string[], needed: boolean, mend: string): Promise<Check> {
  const said = await ask(name, args);
  return { name, ok: said !== null, needed, found: said ?? 'not found', mend };
}

async function venv(): Promise<Check> {
  const there = await ask('python3', ['-c', 'import venv, ensurepip']) !== null;
  return { name: 'python3 venv', ok: there, needed: false, found: there ? 'available' : 'not found', mend: 'apt-get install -y python3-venv' };
}

async function folder(name: string, path: string): Promise<Check> {
  try {
    await mkdir(path, { recursive: true });
    await access(path, constants.W_OK);
    return { name, ok: true, needed: true, found: path, mend: '' };
  } catch (error) {
    return { name, ok: false, needed: true, found: `${path}: ${String(error)}`, mend: `make it writable, or name another folder` };
  }
}

async function disk({ data_dir }: Config): Promise<Check> {
  const { bavail, bsize } = await statfs(data_dir);
  const free = bavail * bsize;
  return { name: 'disk', ok: free > LOW_DISK_BYTES, needed: false, found: `${(free / 1e9).toFixed(1)} GB free`, mend: 'make room: records, evidence and environments need it' };
}

async function port({ host, port: wanted }: Config): Promise<Check> {
  const free = await new Promise<boolean>((resolve) => {
    const server = createServer();
    server.once('error', () => { resolve(false); });
    server.listen(wanted, host, () => { server.close(() => { resolve(true); }); });
  });
  return { name: 'port', ok: free, needed: true, found: `${host}:${wanted} is ${free ? 'free' : 'in use'}`, mend: 'stop the program that uses it, or choose another with --port' };
}
