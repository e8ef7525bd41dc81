/** Keeps records, their detections, events and cameras in the tables of a PostgreSQL, to be asked in SQL. */
import type { CameraRow, Follower, FollowerContext, Item, Refused } from '../types.ts';
import { LookoutError } from '../errors.ts';
import { readAddress, shown, type Address } from './postgres/address.ts';
import { connect, type Connection } from './postgres/connection.ts';
import { away, isOfItems, refusal } from './postgres/failure.ts';
import { migrate } from './postgres/migrations.ts';
import { faultOf, SETTINGS, type PostgresSettings } from './postgres/settings.ts';
import { checkTables } from './postgres/tables.ts';
import { look } from './postgres/look.ts';
import { writeCameras, writeItems } from './postgres/write.ts';

export const summary = 'tables of a PostgreSQL, with PostGIS where it is there';
export const settings = SETTINGS;
export const secrets = ['url'];
/** They fill columns of the events that are there. */
export const takesReviews = true;
export const fault = faultOf;

export const target = ({ url }: PostgresSettings): string => shown(addressOf(url));

export function create({ settings, lookout, log }: FollowerContext<PostgresSettings>): Follower {
  const address = addressOf(settings.url);
  let held: Connection | null = null;

  const drop = (): void => {
    held?.drop();
    held = null;
  };

  /** Connected, with tables as they are to be. */
  async function ready(signal: AbortSignal): Promise<Connection> {
    if (held?.isAlive()) return held;
    drop();
    held = await connect(address, settings, signal);
    await migrate(held, settings, log, signal);
    await checkTables(held, settings.schema, settings.timescale, signal);
    await writeCameras(held, await listedCameras(), settings.schema, signal);
    return held;
  }

  /** They are an addition: what is delivered says itself where its camera is. */
  async function listedCameras(): Promise<readonly CameraRow[]> {
    try {
      return await lookout.cameras();
    } catch (error) {
      log.warn(`the table of cameras cannot be read, and does not come into the database: ${error instanceof Error ? error.message : String(error)}`);
      return [];
    }
  }

  /** Where one is refused, it is looked for half by half, and the others are written. */
  async function write(connection: Connection, items: readonly Item[], signal: AbortSignal): Promise<readonly Refused[]> {
    try {
      await writeItems(connection, items, settings, signal);
      return [];
    } catch (error) {
      const [item] = items;
      if (!isOfItems(error) || !item) throw error;
      if (items.length === 1) {
        // Not where the table is to blame, which somebody may have changed in the meantime.
        await checkTables(connection, settings.schema, settings.timescale, signal);
        return [{ item, reason: refusal(error) }];
      }
      const half = Math.ceil(items.length / 2);
      return [...await write(connection, items.slice(0, half), signal), ...await write(connection, items.slice(half), signal)];
    }
  }

  return {
    async deliver(items, signal) {
      try {
        return await write(await ready(signal), items, signal);
      } catch (error) {
        // What is left of it nobody knows.
        drop();
        signal.throwIfAborted();
        throw away(error, shown(address));
      }
    },
    async test(signal) {
      // Of its own: a delivery may be under way on the other.
      let connection: Connection | null = null;
      try {
        connection = await connect(address, settings, signal);
        return await look(connection, settings, signal);
      } catch (error) {
        signal.throwIfAborted();
        throw away(error, shown(address));
      } finally {
        await connection?.end();
      }
    },
    async close() {
      await held?.end();
      held = null;
    },
  };
}

function addressOf(url: string): Address {
  const address = readAddress(url);
  if (typeof address === 'string') throw new LookoutError('config_invalid', address);
  return address;
}
