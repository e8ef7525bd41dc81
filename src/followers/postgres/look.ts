/** What is found in a database before anything is written to it, in words. */
import { LookoutError } from '../../errors.ts';
import type { Connection } from './connection.ts';
import { NEWEST, versionOf } from './migrations.ts';
import type { PostgresSettings } from './settings.ts';
import { checkTables } from './tables.ts';

/** Throws where a delivery would. */
export async function look(connection: Connection, { schema, timescale }: PostgresSettings, signal: AbortSignal): Promise<string> {
  const [facts] = await connection.query(FACTS, [schema], signal);
  const { version, postgis, read_only: readOnly, may_make: mayMake } = facts as unknown as Facts;
  if (readOnly) throw new LookoutError('target_away', 'nothing can be written there: it is a standby, or was made read-only');
  const extension = postgis === null ? 'without PostGIS' : `with PostGIS ${postgis}`;
  return `PostgreSQL ${version} ${extension}; ${await stateOf(mayMake)}`;

  async function stateOf(may: boolean): Promise<string> {
    const made = await versionOf(connection, schema, signal);
    if (made > NEWEST) throw new LookoutError('target_away', `the schema ${schema} was made by a newer Lookout: it has version ${made}, and this one knows ${NEWEST}`);
    if (made === NEWEST) {
      await checkTables(connection, schema, timescale, signal);
      return `the schema ${schema} has version ${made}`;
    }
    if (made > 0) return `the schema ${schema} has version ${made}, and gets ${NEWEST} with the first delivery`;
    if (!may) throw new LookoutError('target_away', `the schema ${schema} cannot be made: the user may not CREATE in this database; grant it, or make the schema for the user`);
    return `the schema ${schema} is made with the first delivery`;
  }
}

interface Facts {
  readonly version: string;
  readonly postgis: string | null;
  readonly read_only: boolean;
  /** The schema, or in it. */
  readonly may_make: boolean;
}

const FACTS = `
  SELECT current_setting('server_version') AS version, (SELECT extversion FROM pg_extension WHERE extname = 'postgis') AS postgis,
    current_setting('transaction_read_only')::boolean AS read_only,
    CASE WHEN to_regnamespace($1) IS NULL THEN has_database_privilege(current_database(), 'CREATE') ELSE has_schema_privilege(to_regnamespace($1), 'CREATE') END AS may_make`;
