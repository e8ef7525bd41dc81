/** Makes the tables, and brings those of an earlier version forward: each step in one transaction, by one Lookout at a time. */
import { LookoutError } from '../../errors.ts';
import type { FollowerContext } from '../../types.ts';
import type { Connection } from './connection.ts';
import { stateOf } from './failure.ts';
import type { PostgresSettings } from './settings.ts';

type Wanted = Pick<PostgresSettings, 'schema' | 'timescale'>;
type Migration = (connection: Connection, wanted: Wanted, log: FollowerContext<unknown>['log'], signal: AbortSignal) => Promise<void>;

/** In their order, for good: what was released is never changed, a later one changes what it made. */
const MIGRATIONS: readonly Migration[] = [makeTables, addReviews];

export const NEWEST = MIGRATIONS.length;

/** Of all Lookouts, for their locks in a database. */
const LOCK = 0x10_0c_07;

/** Throws `target_away` where a newer Lookout made the tables. */
export async function migrate(connection: Connection, wanted: Wanted, log: FollowerContext<unknown>['log'], signal: AbortSignal): Promise<void> {
  const { schema } = wanted;
  for (const [index, migration] of MIGRATIONS.entries()) {
    if (await versionOf(connection, schema, signal) > index) continue;
    await connection.transaction(async () => {
      await connection.query('SELECT pg_advisory_xact_lock($1, hashtext($2))', [LOCK, schema], signal);
      // Another one may have been quicker.
      if (await versionOf(connection, schema, signal) > index) return;
      if (index === 0) await begin(connection, schema, signal);
      await migration(connection, wanted, log, signal);
      await connection.query(`INSERT INTO ${schema}.migrations (version) VALUES ($1)`, [index + 1], signal);
    }, signal);
  }
  const version = await versionOf(connection, schema, signal);
  if (version > NEWEST) {
    throw new LookoutError('target_away', `the schema ${schema} was made by a newer Lookout: it has version ${version}, and this one knows ${NEWEST}; use a newer Lookout, or set another schema`);
  }
}

/**
 * 0: nothing is made yet. The catalog is read as a table: functions such as to_regclass answer from a cache, which may not know yet
 * what another one has made while its lock was waited for.
 */
export async function versionOf(connection: Connection, schema: string, signal: AbortSignal): Promise<number> {
  const there = await connection.query('SELECT FROM pg_tables WHERE schemaname = $1 AND tablename = \'migrations\'', [schema], signal);
  if (there.length === 0) return 0;
  const [newest] = await connection.query(`SELECT coalesce(max(version), 0) AS version FROM ${schema}.migrations`, [], signal);
  return Number(newest?.['version']);
}

async function begin(connection: Connection, schema: string, signal: AbortSignal): Promise<void> {
  // IF NOT EXISTS asks for the right to make one, also where it is there.
  const there = await connection.query('SELECT FROM pg_namespace WHERE nspname = $1', [schema], signal);
  if (there.length === 0) await connection.query(`CREATE SCHEMA ${schema}`, [], signal);
  await connection.query(`CREATE TABLE IF NOT EXISTS ${schema}.migrations (version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())`, [], signal);
}

async function makeTables(connection: Connection, { schema, timescale }: Wanted, log: FollowerContext<unknown>['log'], signal: AbortSignal): Promise<void> {
  await connection.query(tablesOf(schema, timescale), [], signal);
  if (timescale) await connection.query('SELECT create_hypertable($1::regclass, \'captured_at\')', [`${schema}.detections`], signal);
  const postgis = await postgisSchema(connection, log, signal);
  if (postgis === null) return;
  for (const table of ['cameras', 'events']) await connection.query(positionsOf(`${schema}.${table}`, postgis), [], signal);
}

async function addReviews(connection: Connection, { schema }: Wanted, _log: unknown, signal: AbortSignal): Promise<void> {
  await connection.query(`ALTER TABLE ${schema}.events ADD COLUMN IF NOT EXISTS verdict text, ADD COLUMN IF NOT EXISTS keep boolean NOT NULL DEFAULT false`, [], signal);
}

/** A class may be a text of any length, and a long one does not fit into an index. */
const tablesOf = (schema: string, timescale: boolean): string => `
  CREATE TABLE ${schema}.cameras (
    id text PRIMARY KEY, latitude double precision, longitude double precision, last_seen_at timestamptz
  );
  CREATE TABLE ${schema}.records (
    id text PRIMARY KEY, camera_id text NOT NULL, captured_at timestamptz, ended_at timestamptz, session text, closed_by text, format text, models text[],
    frames integer, record jsonb NOT NULL
  );
  CREATE INDEX ON ${schema}.records (captured_at);
  CREATE INDEX ON ${schema}.records (camera_id, captured_at);
  CREATE TABLE ${schema}.detections (
    record_id text NOT NULL REFERENCES ${schema}.records (id) ON DELETE CASCADE, number integer NOT NULL, frame integer, captured_at timestamptz,
    camera_id text NOT NULL, section text, model text, class text, confidence double precision,
    x1 double precision, y1 double precision, x2 double precision, y2 double precision, extra jsonb,
    PRIMARY KEY (record_id, number${timescale ? ', captured_at' : ''})
  );
  CREATE INDEX ON ${schema}.detections (captured_at);
  CREATE TABLE ${schema}.events (
    id text PRIMARY KEY, sequence integer NOT NULL, state text, at timestamptz, camera_id text, latitude double precision, longitude double precision,
    rule text, section text, class text, models text[], alert boolean, suppressed text, began_at timestamptz, last_seen_at timestamptz, ended_at timestamptz,
    ended_by text, frames integer, best_captured_at timestamptz, confidence double precision,
    x1 double precision, y1 double precision, x2 double precision, y2 double precision, width integer, height integer,
    picture text, clip text, batches text[], entry jsonb NOT NULL
  );
  CREATE INDEX ON ${schema}.events (began_at);
  CREATE INDEX ON ${schema}.events (camera_id, began_at);`;

/** The database fills the column by itself, so that no statement of ours depends on PostGIS. */
const positionsOf = (table: string, postgis: string): string => `
  ALTER TABLE ${table} ADD COLUMN position ${postgis}.geography(Point, 4326)
    GENERATED ALWAYS AS (${postgis}.geography(${postgis}.ST_SetSRID(${postgis}.ST_MakePoint(longitude, latitude), 4326))) STORED;
  CREATE INDEX ON ${table} USING gist (position);`;

/** Where its functions are, as SQL has it; null: it is not there, and cannot be made. */
async function postgisSchema(connection: Connection, log: FollowerContext<unknown>['log'], signal: AbortSignal): Promise<string | null> {
  const there = async (): Promise<string | null> => {
    const [row] = await connection.query('SELECT quote_ident(nspname) AS schema FROM pg_extension e JOIN pg_namespace n ON n.oid = extnamespace WHERE extname = \'postgis\'', [], signal);
    return row ? String(row['schema']) : null;
  };
  const already = await there();
  if (already !== null) return already;
  const available = await connection.query('SELECT FROM pg_available_extensions WHERE name = \'postgis\'', [], signal);
  if (available.length === 0) return null;
  await connection.query('SAVEPOINT postgis', [], signal);
  try {
    await connection.query('CREATE EXTENSION postgis', [], signal);
  } catch (error) {
    if (stateOf(error) === '') throw error;
    await connection.query('ROLLBACK TO SAVEPOINT postgis', [], signal);
    log.info(`PostGIS is not used, because its extension could not be made: ${error instanceof Error ? error.message : String(error)}`);
  }
  return there();
}
