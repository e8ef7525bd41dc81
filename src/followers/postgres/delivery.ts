/** One connection, which is made when something is to be written and made anew when it is lost. */
import { hiderOfSecrets } from '../../lib/secrets.ts';
import { shorten } from '../../lib/shorten.ts';
import type { CameraRow, Follower, FollowerContext, Item, Refused } from '../../types.ts';
import { shown, type Address } from './address.ts';
import { connect, type Connection } from './connection.ts';
import { away, isOfItems, LONGEST, refusal } from './failure.ts';
import { look } from './look.ts';
import { migrate } from './migrations.ts';
import type { PostgresSettings } from './settings.ts';
import { checkTables } from './tables.ts';
import { writeCameras, writeItems } from './write.ts';

export function createDelivery(address: Address, { settings, lookout, log }: FollowerContext<PostgresSettings>): Follower {
  const hide = hiderOfSecrets([address.password]);
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
        return [{ item, reason: refusal(error, hide) }];
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
        throw away(error, shown(address), hide);
      }
    },
    async test(signal) {
      // Of its own: a delivery may be under way on the other.
      let connection: Connection | null = null;
      try {
        connection = await connect(address, settings, signal);
        return shorten(hide(await look(connection, settings, signal)), LONGEST);
      } catch (error) {
        signal.throwIfAborted();
        throw away(error, shown(address), hide);
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
