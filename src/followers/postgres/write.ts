/** Writes items into the tables: some hundred rows a statement, all of a delivery in one transaction. */
import type { CameraRow, Item } from '../../types.ts';
import { isEntry, isReview } from '../../words/items.ts';
import { deliveredCameras, listedCameras } from './camera-rows.ts';
import type { Connection } from './connection.ts';
import { eventRow, reviewRow, type ReviewRow } from './event-rows.ts';
import { detectionRows, recordRow } from './record-rows.ts';
import type { PostgresSettings } from './settings.ts';
import { REVIEWED, TABLES, type RowOf, type Table } from './tables.ts';
import { cleaned, jsonOf } from './values.ts';

/** A statement has a deadline: what it writes is bounded. */
const MOST_ITEMS = 250;
const MOST_BYTES = 1_000_000;

/** A hypertable takes no row without a time. */
const UNTIMED = '1970-01-01T00:00:00.000Z';

export async function writeItems(connection: Connection, items: readonly Item[], { schema, timescale }: PostgresSettings, signal: AbortSignal): Promise<void> {
  const put = (text: string, value: unknown): Promise<unknown> => connection.query(text, [jsonOf(value)], signal);
  await connection.transaction(async () => {
    await put(CAMERAS_SEEN(schema), deliveredCameras(items));
    for (const chunk of chunksOf(items)) {
      const events = newestEntries(chunk.filter(isEntry).map(eventRow));
      if (events.length > 0) await put(EVENTS(schema), events);
      const reviews = newestReviews(chunk.filter(isReview).map(reviewRow));
      if (reviews.length > 0) await put(REVIEWS(schema), reviews);
      const records = newestRecords(chunk);
      if (records.length === 0) continue;
      const rows = records.map(recordRow);
      await put(RECORDS(schema), rows);
      await put(FORMER_DETECTIONS(schema), rows.map(({ id }) => id));
      const detections = records.flatMap((item) => detectionRows(item, timescale ? UNTIMED : null));
      if (detections.length > 0) await put(DETECTIONS(schema), detections);
    }
  }, signal);
}

/** Those of the table, whatever was delivered of them. */
export async function writeCameras(connection: Connection, cameras: readonly CameraRow[], schema: string, signal: AbortSignal): Promise<void> {
  await connection.transaction(() => connection.query(CAMERAS_LISTED(schema), [jsonOf(listedCameras(cameras))], signal), signal);
}

/** Those of its rows. */
const typesOf = (table: Table): readonly (readonly [string, string])[] => Object.entries(TABLES[table]).filter(([column]) => !REVIEWED.some((one) => one === column));
const columnsOf = (table: Table): readonly string[] => typesOf(table).map(([column]) => column);

/** The rows come as one JSON text: its members are columns. In one order everywhere, so that two who write the same rows do not wait for each other for ever. */
function insert(table: Table, schema: string): string {
  const columns = columnsOf(table).join(', ');
  const types = typesOf(table).map(([column, type]) => `${column} ${type}`).join(', ');
  return `INSERT INTO ${schema}.${table} AS old (${columns}) SELECT ${columns} FROM json_to_recordset($1::json) AS new (${types}) ORDER BY ${columnsOf(table)[0] ?? ''}`;
}

const everyColumn = (table: Table): string => columnsOf(table).slice(1).map((column) => `${column} = excluded.${column}`).join(', ');

const RECORDS = (schema: string): string => `${insert('records', schema)} ON CONFLICT (id) DO UPDATE SET ${everyColumn('records')}`;
const FORMER_DETECTIONS = (schema: string): string => `DELETE FROM ${schema}.detections WHERE record_id = ANY (ARRAY(SELECT json_array_elements_text($1::json)))`;
const DETECTIONS = (schema: string): string => insert('detections', schema);
const EVENTS = (schema: string): string => `${insert('events', schema)} ON CONFLICT (id) DO UPDATE SET ${everyColumn('events')} WHERE old.sequence <= excluded.sequence`;
const REVIEWS = (schema: string): string => `UPDATE ${schema}.events AS old SET verdict = new.verdict, keep = new.keep
  FROM json_to_recordset($1::json) AS new (id text, verdict text, keep boolean) WHERE old.id = new.id`;
const CAMERAS_LISTED = (schema: string): string => `${insert('cameras', schema)} ON CONFLICT (id) DO UPDATE
  SET latitude = excluded.latitude, longitude = excluded.longitude WHERE (old.latitude, old.longitude) IS DISTINCT FROM (excluded.latitude, excluded.longitude)`;
/** The newest counts, but for one that is still to come: a clock was wrong. Those of two machines may differ by a minute. */
const CAMERAS_SEEN = (schema: string): string => `${insert('cameras', schema)} ON CONFLICT (id) DO UPDATE
  SET latitude = coalesce(excluded.latitude, old.latitude), longitude = coalesce(excluded.longitude, old.longitude), last_seen_at = excluded.last_seen_at
  WHERE excluded.last_seen_at > CASE WHEN old.last_seen_at < now() + interval '1 minute' THEN old.last_seen_at ELSE '-infinity' END`;

/** A statement may write a row only once. */
function newestRecords(items: readonly Item[]): readonly Item[] {
  return [...new Map(items.filter(({ log }) => log === 'records').map((item) => [cleaned(item.id), item])).values()];
}

/** An event comes as several entries. */
function newestEntries(rows: readonly RowOf<'events'>[]): readonly RowOf<'events'>[] {
  const found = new Map<unknown, RowOf<'events'>>();
  for (const row of rows) {
    const known = found.get(row.id);
    if (known === undefined || Number(known.sequence) <= Number(row.sequence)) found.set(row.id, row);
  }
  return [...found.values()];
}

/** In the order of the log. */
function newestReviews(rows: readonly ReviewRow[]): readonly ReviewRow[] {
  return [...new Map(rows.map((row) => [row.id, row])).values()];
}

function* chunksOf(items: readonly Item[]): Generator<readonly Item[]> {
  let chunk: Item[] = [];
  let bytes = 0;
  for (const item of items) {
    if (chunk.length === MOST_ITEMS || (chunk.length > 0 && bytes + item.bytes > MOST_BYTES)) {
      yield chunk;
      [chunk, bytes] = [[], 0];
    }
    chunk.push(item);
    bytes += item.bytes;
  }
  if (chunk.length > 0) yield chunk;
}
