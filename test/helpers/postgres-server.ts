/** A real PostgreSQL of the test's own, as a user that is not root, in a folder and at a port of its own; it dies with the test. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { Client } from 'pg';

const run = promisify(execFile);

export interface PostgresServer {
  readonly port: number;
  /** Of its data and its socket; others of its user may be made in it. */
  readonly folder: string;
  start(settings?: readonly string[]): Promise<void>;
  /** `fast`: connections are told; `immediate`: as if it had died. */
  stop(how: 'fast' | 'immediate'): Promise<void>;
  /** As its superuser: the rows of the last statement. */
  sql(text: string, database?: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  url(database: string, user?: string, password?: string): string;
  /** For the server to write in. */
  own(path: string): Promise<void>;
  remove(): Promise<void>;
}

/** Of its superuser, with what an address would take for its own. */
export const PASSWORD = 'geheim/w@rt?#1';

/** nobody, for PostgreSQL does not start as root. */
const USER = process.getuid?.() === 0 ? { id: 65_534, words: ['--reuid=65534', '--regid=65534', '--clear-groups'] } : { id: null, words: [] };

function programs(): string {
  const versions = existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql').sort((a, b) => Number(b) - Number(a)) : [];
  const [newest] = versions.map((version) => `/usr/lib/postgresql/${version}/bin`).filter((folder) => existsSync(join(folder, 'initdb')));
  if (newest === undefined) throw new Error('no PostgreSQL is installed: node setup.mjs --test does it');
  return newest;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}

export async function createPostgres(): Promise<PostgresServer> {
  const bin = programs();
  const folder = await mkdtemp(join(tmpdir(), 'lookout-postgres-'));
  const data = join(folder, 'data');
  const port = await freePort();
  let server: ChildProcess | null = null;

  const own = async (path: string): Promise<void> => {
    await chmod(path, 0o700);
    if (USER.id !== null) await chown(path, USER.id, USER.id);
  };
  await own(folder);
  const secret = join(folder, 'password');
  await writeFile(secret, PASSWORD);
  await own(secret);
  await run('setpriv', [...USER.words, join(bin, 'initdb'), '--pgdata', data, '--username=postgres', `--pwfile=${secret}`, '--auth=scram-sha-256', '--encoding=UTF8', '--locale=C', '--no-sync'], { cwd: folder });

  const url: PostgresServer['url'] = (database, user = 'postgres', password = PASSWORD) => `postgres://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`;

  async function stop(how: 'fast' | 'immediate'): Promise<void> {
    if (server === null) return;
    const ended = once(server, 'exit');
    server.kill(how === 'fast' ? 'SIGINT' : 'SIGQUIT');
    await ended;
  }

  return {
    port, folder, url, own, stop,
    async start(settings = []) {
      if (server !== null) return;
      const words = ['fsync=off', 'shared_buffers=16MB', 'max_connections=12', 'max_prepared_transactions=1', 'listen_addresses=127.0.0.1', `unix_socket_directories=${folder}`, ...settings].flatMap((setting) => ['-c', setting]);
      const child = spawn('setpriv', [...USER.words, '--pdeathsig', 'KILL', join(bin, 'postgres'), '-D', data, '-p', String(port), ...words], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
      server = child;
      child.once('exit', () => { server = null; });
      const said: string[] = [];
      await new Promise<void>((resolve, reject) => {
        createInterface(child.stderr).on('line', (line) => {
          said.push(line);
          if (line.includes('database system is ready to accept connections')) resolve();
        });
        child.once('error', reject);
        child.once('exit', () => { reject(new Error(`PostgreSQL does not start:\n${said.slice(-20).join('\n')}`)); });
      });
    },
    async sql(text, database = 'postgres') {
      const client = new Client({ connectionString: url(database) });
      await client.connect();
      try {
        // Of several statements there is a list, which the package's types do not know.
        const results = [await client.query<Record<string, unknown>>(text)].flat();
        return results.at(-1)?.rows ?? [];
      } finally {
        await client.end();
      }
    },
    async remove() {
      await stop('immediate');
      await rm(folder, { recursive: true, force: true });
    },
  };
}
