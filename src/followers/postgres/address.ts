/** Where a database is and who asks: its URL, read. */
import { isLoopback } from '../../lib/loopback.ts';
import { decoded } from '../../lib/secrets.ts';

export interface Address {
  /** A name, an address, or the folder of a socket. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  /** Empty: none. */
  readonly password: string;
}

/** The address, or in words what is wrong with the URL; they repeat nothing of it, because anything there may be the password. */
export function readAddress(url: string): Address | string {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || !/^postgres(ql)?:$/.test(parsed.protocol) || parsed.hostname === '') {
    return 'url is no address of a PostgreSQL: postgres://user:password@host:5432/database, in which odd characters of the password are percent-encoded';
  }
  if (parsed.search !== '' || parsed.hash !== '') return 'url has a ? or a # in it: there are no parameters (for TLS see tls and ca), and in a password they are written %3F and %23';
  const database = decoded(parsed.pathname.slice(1));
  if (parsed.username === '') return 'url names no user: postgres://user:password@host:5432/database';
  if (database === '') return 'url names no database: postgres://user:password@host:5432/database';
  return {
    host: decoded(parsed.hostname).replace(/^\[(.*)\]$/, '$1'),
    port: parsed.port === '' ? 5432 : Number(parsed.port),
    database, user: decoded(parsed.username), password: decoded(parsed.password),
  };
}

/** What goes there leaves no machine. */
export function isHere({ host }: Address): boolean {
  return host.startsWith('/') || isLoopback(host);
}

/** Without user and password. */
export function shown({ host, port, database }: Address): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}/${database}`;
}
