/** Debian's PostgreSQL, at a free port, as nobody where this is root: it does not start as that. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { freePort } from './port.mjs';
import { start, stop } from './programs.mjs';

const VERSIONS = '/usr/lib/postgresql';
const [programs] = (existsSync(VERSIONS) ? readdirSync(VERSIONS) : []).map((version) => join(VERSIONS, version, 'bin')).filter((folder) => existsSync(join(folder, 'initdb')));
export const hasDatabase = programs !== undefined;

const NOBODY = 65_534;
const isRoot = process.getuid() === 0;
const asNobody = isRoot ? [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'] : [];

/** It writes as it does unless told otherwise: what it has said is on the disk. */
export async function openDatabase() {
  // Others' users must be let in on the way to it.
  const folder = await mkdtemp(join(tmpdir(), 'lookout-bench-'));
  await chmod(folder, 0o700);
  if (isRoot) await chown(folder, NOBODY, NOBODY);
  const data = join(folder, 'data');
  const made = spawnSync('setpriv', [...asNobody, join(programs, 'initdb'), '--pgdata', data, '--username=postgres', '--auth=trust', '--encoding=UTF8', '--locale=C'], { cwd: folder });
  if (made.status !== 0) throw new Error(`no database could be made: ${String(made.stderr)}`);
  const port = await freePort();
  const child = start('setpriv', [...asNobody, '--pdeathsig', 'KILL', join(programs, 'postgres'), '-D', data, '-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-c', `unix_socket_directories=${folder}`], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  await new Promise((resolve, reject) => {
    createInterface({ input: child.stderr }).on('line', (line) => { if (line.includes('ready to accept connections')) resolve(); });
    child.once('exit', () => { reject(new Error('PostgreSQL does not start')); });
  });
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  return {
    url,
    /** Rows of the statement. */
    async ask(text) {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      try {
        return (await client.query(text)).rows;
      } finally {
        await client.end();
      }
    },
    async close() {
      await stop(child, 'SIGINT');
      await rm(folder, { recursive: true, force: true });
    },
  };
}
