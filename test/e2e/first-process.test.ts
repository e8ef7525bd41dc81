/** Lookout as the first process of a container. */
import { spawnSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startServer } from '../helpers/server-process.ts';
import { testFolder } from '../store/folder.ts';

/** A namespace of its own, in which what it runs is the first process. */
const ALONE = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'];
const mayUnshare = spawnSync(ALONE[0] ?? '', [...ALONE.slice(1), 'true']).status === 0;

describe.skipIf(!mayUnshare)('as the first process (skipped where unshare --pid is not allowed)', () => {
  const folder = testFolder();

  it('serves, says that nothing reaps orphans there, and stops in order at SIGTERM', async () => {
    await mkdir(join(folder.path, 'data'));
    const server = await startServer({ folder: folder.path, under: ALONE });
    expect(server.output()).toContain('it is the first process here');
    await expect.poll(async () => (await fetch(`${server.url}/readyz`)).json(), { timeout: 10_000 }).toMatchObject({ status: 'ready' });
    expect(await server.stop()).toBe(0);
  });
});
