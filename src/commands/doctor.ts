/** `lookout doctor`: what Lookout needs on this machine, what is missing, and the command that mends it. */
import { constants } from 'node:fs';
import { access, lstat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { hostZone, hostZoneTrouble } from '../config/time-zone.ts';
import { errorInfo } from '../errors.ts';
import { ffmpegProgram, isTooOld, OLDEST_FFMPEG } from '../lib/ffmpeg-program.ts';
import { hasCode } from '../lib/files.ts';
import { ask } from '../lib/program.ts';
import { storageOf } from '../lib/storage.ts';
import { findInterpreter } from '../runtimes/tools/interpreter.ts';
import { whyNotLibav } from '../sources/feeds/self-test.ts';
import type { Config } from '../types.ts';
import { LOW_DISK_BYTES, MAKE_ROOM, tellChecks, type Check } from './checks.ts';
import { prepareCommand, type CommandContext } from './context.ts';

export async function doctor(context: CommandContext): Promise<number> {
  const { config } = await prepareCommand(context);
  const checks = [node(), timeZone(config), ...await Promise.all([
    ffmpeg(), libav(config),
    python(context.signal),
    program('uv', ['--version'], false, 'optional, makes Python environments faster: see docs.astral.sh/uv'),
    program('setpriv', ['--pdeathsig', 'KILL', 'true'], false, 'apt-get install -y util-linux (without it a small watcher ends children)'),
    folder('data folder', config.data_dir), folder('frames folder', config.frames_dir), disk(config), port(config),
  ])];
  return tellChecks(checks, 'missing');
}

function node(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return { name: 'node', ok: major > 20 || (major === 20 && minor >= 19), needed: true, found: process.versions.node, mend: 'install Node 20.19 or later' };
}

async function program(name: string, args: readonly string[], needed: boolean, mend: string, file = name): Promise<Check> {
  const said = await ask(file, args);
  return { name, ok: said !== null, needed, found: said === null ? 'not found' : said || 'works', mend };
}

async function ffmpeg(): Promise<Check> {
  const check = await program('ffmpeg', ['-version'], true, 'apt-get install -y ffmpeg', ffmpegProgram());
  return isTooOld(check.found) ? { ...check, ok: false, found: `${check.found} is too old`, mend: `install ffmpeg ${OLDEST_FFMPEG} or later` } : check;
}

/** Without it each camera is captured by an ffmpeg of its own. */
async function libav({ capture_engine }: Config): Promise<Check> {
  const about = { name: 'libav', needed: capture_engine === 'libav', mend: 'npm install without --omit=optional, on Linux with glibc; or capture_engine: ffmpeg' };
  if (capture_engine === 'ffmpeg') return { ...about, ok: true, found: 'not used: capture_engine is ffmpeg' };
  const why = await whyNotLibav();
  return { ...about, ok: why === null, found: why ?? 'captures RTSP cameras' };
}

/** The one that environments are made with. */
async function python(signal: AbortSignal): Promise<Check> {
  const about = { name: 'python', needed: false, mend: 'apt-get install -y python3 python3-venv' };
  try {
    const { version, path } = await findInterpreter(signal);
    return { ...about, ok: true, found: `${version}, ${path}` };
  } catch (error) {
    return { ...about, ok: false, found: errorInfo(error).message };
  }
}

function timeZone({ time_zone }: Config): Check {
  const trouble = hostZoneTrouble(time_zone, process.env);
  const about = { name: 'time zone', ok: trouble === null, needed: false };
  if (trouble === null) return { ...about, found: time_zone === 'system' ? hostZone() : time_zone, mend: '' };
  return { ...about, found: `TZ=${process.env['TZ'] ?? ''} is no name of one: times are in ${trouble.told}`, mend: `set time_zone to ${trouble.instead}` };
}

/** It makes none: of root's the user of a service could make no use. */
async function folder(name: string, path: string): Promise<Check> {
  try {
    // Of what is no folder this is no path.
    await access(`${await nearestOf(path)}/.`, constants.W_OK);
    return { name, ok: true, needed: true, found: path, mend: '' };
  } catch (error) {
    return { name, ok: false, needed: true, found: `${path}: ${String(error)}`, mend: 'make it writable, or name another folder' };
  }
}

/** What is there of a path: all of it, or the folder in which the rest would be made. */
async function nearestOf(path: string): Promise<string> {
  try {
    // A link that leads nowhere is there.
    await lstat(path);
    return path;
  } catch (error) {
    if (!hasCode(error, 'ENOENT') || dirname(path) === path) throw error;
    return nearestOf(dirname(path));
  }
}

async function disk({ data_dir }: Config): Promise<Check> {
  const { free: { bytes } } = await storageOf(data_dir);
  return { name: 'disk', ok: bytes > LOW_DISK_BYTES, needed: false, found: `${(bytes / 1e9).toFixed(1)} GB free`, mend: MAKE_ROOM };
}

async function port({ host, port: wanted }: Config): Promise<Check> {
  const refused = await new Promise<NodeJS.ErrnoException | null>((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen(wanted, host.replace(/^\[|\]$/g, ''), () => { server.close(() => { resolve(null); }); });
  });
  const [found, mend] = PORT_WORDS[refused?.code ?? 'free'] ?? [refused?.message ?? '', 'choose another with --host and --port'];
  return { name: 'port', ok: refused === null, needed: true, found: `${host}:${wanted} ${found}`, mend };
}

/** What listening came to, and what mends it. */
const PORT_WORDS: Readonly<Record<string, readonly [string, string]>> = {
  free: ['is free', ''],
  EADDRINUSE: ['is in use', 'stop the program that uses it, or choose another with --port'],
  EACCES: ['is not allowed to this user', 'choose one from 1024 on with --port'],
  EADDRNOTAVAIL: ['is no address of this machine', 'name one of its own, or 0.0.0.0 for all, with --host'],
};
