/** One connection to a database: every answer has a deadline, and a signal ends what is under way. */
import { readFile } from 'node:fs/promises';
import { Socket, type IpcSocketConnectOpts, type TcpSocketConnectOpts } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { Client } from 'pg';
import { LookoutError } from '../../errors.ts';
import { untilAborted } from '../../lib/abort.ts';
import { linked } from '../../lib/linked.ts';
import { FINDING } from '../../lib/names.ts';
import { isHere, type Address } from './address.ts';
import { isOfItems } from './failure.ts';
import { guard } from './guard.ts';
import type { PostgresSettings } from './settings.ts';

export type Row = Readonly<Record<string, unknown>>;

export interface Connection {
  /** Whether it can still be used, as far as is known without asking. */
  isAlive(): boolean;
  /** The rows of one statement. */
  query(text: string, values: readonly unknown[], signal: AbortSignal): Promise<readonly Row[]>;
  /** All that `work` asks, or nothing of it. Whoever gets an error that is not of the items drops the connection. */
  transaction<Result>(work: () => Promise<Result>, signal: AbortSignal): Promise<Result>;
  /** In order, if that takes no long time. */
  end(): Promise<void>;
  drop(): void;
}

/** The server says itself that a statement takes too long; this is waited for when it does not. */
const GRACE_MS = 1000;
/** Routers forget connections on which nothing is said. */
const KEEP_ALIVE_MS = 30_000;

/** Leads where the address says, whatever the client asks it for: that cannot say how names are looked up. */
class SocketTo extends Socket {
  readonly #to: TcpSocketConnectOpts | IpcSocketConnectOpts;

  constructor({ host, port }: Address) {
    super();
    this.#to = host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port, ...FINDING };
  }

  override connect(): this {
    return super.connect(this.#to);
  }
}

export async function connect(address: Address, settings: PostgresSettings, signal: AbortSignal): Promise<Connection> {
  const { host, port, database, user, password } = address;
  const limit = Math.round(settings.timeout_seconds * 1000);
  const socket = new SocketTo(address);
  const client = new Client({
    host, port, database, user, ssl: await tlsOf(address, settings),
    // A function, even for none: else it would be looked for in the environment and in the home folder.
    password: () => password,
    stream: () => socket,
    client_encoding: 'UTF8', application_name: 'lookout', keepAlive: true, keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
  });
  guard(client);
  let alive = true;
  const lose = (): void => { alive = false; };
  // Whoever waits for an answer hears of it there.
  client.on('error', lose);
  client.on('end', lose);
  const drop = (): void => {
    lose();
    socket.destroy();
  };

  async function within<Result>(answer: () => Promise<Result>, ms: number, signal: AbortSignal): Promise<Result> {
    signal.throwIfAborted();
    const link = linked(signal);
    const timer = setTimeout(() => { link.abort(new Error(`no answer within ${ms / 1000} s`)); }, ms);
    try {
      return await untilAborted(answer(), link.signal);
    } catch (error) {
      // Its answer may still come, and would be taken for another's.
      if (link.signal.aborted) drop();
      throw error;
    } finally {
      clearTimeout(timer);
      link.release();
    }
  }

  const query: Connection['query'] = async (text, values, signal) => {
    const { rows } = await within(() => client.query<Row>(text, [...values]), limit + GRACE_MS, signal);
    return rows;
  };

  try {
    await within(() => client.connect(), limit, signal);
  } catch (error) {
    drop();
    throw error;
  }
  return {
    isAlive: () => alive,
    query,
    drop,
    async transaction(work, signal) {
      // Tables that grow fast have statistics only later; until then whole tables would be read where an index leads.
      await query('BEGIN ISOLATION LEVEL READ COMMITTED', [], signal);
      try {
        await query('SELECT set_config(\'statement_timeout\', $1, true), set_config(\'enable_seqscan\', \'off\', true)', [`${limit}ms`], signal);
        const result = await work();
        await query('COMMIT', [], signal);
        return result;
      } catch (error) {
        if (isOfItems(error)) await query('ROLLBACK', [], signal);
        throw error;
      }
    },
    async end() {
      if (!alive) return;
      await within(() => client.end(), GRACE_MS, new AbortController().signal).catch(drop);
    },
  };
}

async function tlsOf(address: Address, { tls, ca }: PostgresSettings): Promise<ConnectionOptions | false> {
  const how = tls ?? (isHere(address) && ca === null ? 'off' : 'verify');
  if (how === 'off') return false;
  if (how === 'any') return { rejectUnauthorized: false };
  return ca === null ? {} : { ca: await certificates(ca) };
}

/** Read each time: they are renewed. */
async function certificates(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new LookoutError('target_away', `the certificates in ${file} (ca) cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
