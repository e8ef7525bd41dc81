/** What can be set of a PostgreSQL, and what no schema says of it. */
import type { FollowerMember } from '../../types.ts';
import { readAddress } from './address.ts';

export interface PostgresSettings {
  readonly url: string;
  readonly schema: string;
  readonly tls: 'verify' | 'any' | 'off' | null;
  readonly ca: string | null;
  readonly timeout_seconds: number;
  readonly timescale: boolean;
}

export const SETTINGS: FollowerMember['settings'] = {
  url: {
    description: 'postgres://user:password@host:5432/database, in which odd characters are percent-encoded; the host may be the folder of a socket, %2Fvar%2Frun%2Fpostgresql.',
    type: 'string', minLength: 1,
  },
  schema: {
    description: 'Where its tables are, which it makes itself.',
    type: 'string', minLength: 1, default: 'lookout',
  },
  tls: {
    description: 'verify (the certificate is trusted and for that host), any (TLS with whatever certificate), off (no TLS). null: off on this machine, verify elsewhere.',
    type: ['string', 'null'], enum: ['verify', 'any', 'off', null], default: null,
  },
  ca: {
    description: 'File of the certificates (PEM) that verify trusts; null: those that Node trusts.',
    type: ['string', 'null'], minLength: 1, default: null,
  },
  timeout_seconds: {
    description: 'How long a connection, and each statement, may take.',
    type: 'number', minimum: 0.1, maximum: 3600, default: 10,
  },
  timescale: {
    description: 'Makes the table of detections one of TimescaleDB, whose extension must be there; to be set before the first delivery.',
    type: 'boolean', default: false,
  },
};

export function faultOf({ url, schema, tls, ca }: PostgresSettings): string | null {
  const address = readAddress(url);
  if (typeof address === 'string') return address;
  if (!/^(?!pg_)[a-z_][a-z0-9_]{0,62}$/.test(schema)) return `schema ${JSON.stringify(schema)} is no plain name: small letters, digits and _, not begun by a digit or pg_, 63 at most`;
  if (ca !== null && (tls === 'any' || tls === 'off')) return `ca has no meaning with tls: ${tls}, which verifies nothing`;
  return null;
}
