/** The tables as they are written, and whether those in a database still are so. */
import { LookoutError } from '../../errors.ts';
import type { Connection } from './connection.ts';

/** Of each table its columns, with their types as PostgreSQL calls them; the first are its key. */
export const TABLES = {
  cameras: { id: 'text', latitude: 'double precision', longitude: 'double precision', last_seen_at: 'timestamp with time zone' },
  records: {
    id: 'text', camera_id: 'text', captured_at: 'timestamp with time zone', ended_at: 'timestamp with time zone', session: 'text', closed_by: 'text',
    format: 'text', models: 'text[]', frames: 'integer', record: 'jsonb',
  },
  detections: {
    record_id: 'text', number: 'integer', frame: 'integer', captured_at: 'timestamp with time zone', camera_id: 'text', section: 'text', model: 'text', class: 'text',
    confidence: 'double precision', x1: 'double precision', y1: 'double precision', x2: 'double precision', y2: 'double precision', extra: 'jsonb',
  },
  events: {
    id: 'text', sequence: 'integer', state: 'text', at: 'timestamp with time zone', camera_id: 'text', latitude: 'double precision', longitude: 'double precision',
    rule: 'text', section: 'text', class: 'text', models: 'text[]', alert: 'boolean', suppressed: 'text', began_at: 'timestamp with time zone',
    last_seen_at: 'timestamp with time zone', ended_at: 'timestamp with time zone', ended_by: 'text', frames: 'integer', best_captured_at: 'timestamp with time zone',
    confidence: 'double precision', x1: 'double precision', y1: 'double precision', x2: 'double precision', y2: 'double precision', width: 'integer', height: 'integer',
    picture: 'text', clip: 'text', batches: 'text[]', entry: 'jsonb', verdict: 'text', keep: 'boolean',
  },
} as const;

export type Table = keyof typeof TABLES;

/** Columns of events that no entry says: reviews fill them. */
export const REVIEWED = ['verdict', 'keep'] as const;

/** A value for each column. */
export type RowOf<Name extends Table> = { readonly [Column in Exclude<keyof (typeof TABLES)[Name], (typeof REVIEWED)[number]>]: unknown };

/** Columns that are never null. */
const ALWAYS: Readonly<Record<Table, readonly string[]>> = {
  cameras: ['id'], records: ['id', 'camera_id', 'record'], detections: ['record_id', 'number', 'camera_id'], events: ['id', 'sequence', 'entry', 'keep'],
};

/**
 * Throws `target_away` where somebody changed the tables so that items would be refused that are as they should be, or would
 * lose something. `timed`: detections always have a time.
 */
export async function checkTables(connection: Connection, schema: string, timed: boolean, signal: AbortSignal): Promise<void> {
  const rows = await connection.query(COLUMNS, [schema, Object.keys(TABLES)], signal) as unknown as readonly Column[];
  for (const [table, columns] of Object.entries<Readonly<Record<string, string>>>(TABLES)) {
    const found = new Map(rows.filter((row) => row.table === table).map((row) => [row.column, row]));
    const name = `${schema}.${table}`;
    if (found.size === 0) throw changed(`the table ${name} is gone`);
    const always: readonly string[] = [...ALWAYS[table as Table], ...(timed && table === 'detections' ? ['captured_at'] : [])];
    for (const [column, type] of Object.entries(columns)) {
      const now = found.get(column);
      if (!now) throw changed(`the column ${column} of ${name} is gone`);
      if (now.type !== type) throw changed(`the column ${column} of ${name} is ${now.type}, and was made as ${type}`);
      if (now.always && !always.includes(column)) throw changed(`the column ${column} of ${name} takes no null, as it should`);
    }
    const foreign = [...found.values()].find(({ column, always: isNeeded, given }) => isNeeded && !given && !Object.hasOwn(columns, column));
    if (foreign) throw changed(`the column ${foreign.column} of ${name} takes no null, and has no default`);
  }
}

interface Column {
  readonly table: string;
  readonly column: string;
  readonly type: string;
  readonly always: boolean;
  /** It gets a value by itself. */
  readonly given: boolean;
}

const COLUMNS = `
  SELECT c.relname AS "table", a.attname AS "column", format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS always, a.atthasdef OR a.attidentity <> '' AS given
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = $1 AND c.relname = ANY ($2) AND a.attnum > 0 AND NOT a.attisdropped`;

function changed(what: string): LookoutError {
  return new LookoutError('target_away', `${what}: somebody changed it; change it back, or drop the schema and rewind the follower: then it is made and filled anew`);
}
