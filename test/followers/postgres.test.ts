/** The follower that writes into a PostgreSQL, against a real one. */
import { afterAll, beforeAll } from 'vitest';
import * as member from '../../src/followers/postgres.ts';
import type { PostgresSettings } from '../../src/followers/postgres/settings.ts';
import { followerContract } from '../contracts/follower.ts';
import { createPostgres, PASSWORD, type PostgresServer } from '../helpers/postgres-server.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await createPostgres();
  await server.start();
});
afterAll(() => server.remove());

const settingsOf = (url: string, more: Partial<PostgresSettings> = {}): PostgresSettings => ({ url, schema: 'lookout', tls: null, ca: null, timeout_seconds: 10, timescale: false, ...more });

followerContract<PostgresSettings>('postgres', {
  member,
  secret: PASSWORD,
  async target() {
    await server.sql('CREATE DATABASE contract');
    return {
      settings: settingsOf(server.url('contract')),
      start: () => server.start(),
      stop: () => server.stop('fast'),
      async received() {
        const made = await server.sql("SELECT to_regclass('lookout.records') IS NOT NULL AS made", 'contract');
        if (made[0]?.['made'] !== true) return [];
        const rows = await server.sql("SELECT id FROM lookout.records UNION ALL SELECT id || '/' || sequence FROM lookout.events", 'contract');
        return rows.map(({ id }) => String(id));
      },
      remove: () => Promise.resolve(),
    };
  },
  keepsNoOrder: true,
});
