/** The whole of Lookout from its start to its end, as the outside sees it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createApp } from '../src/app.ts';
import { loadConfig } from '../src/config/load.ts';
import { silentLog } from '../src/lib/log.ts';

it('is ready between its start and its end only, and starts no stream while it stops', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lookout-app-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const { config } = await loadConfig({ flags: { port: 0 }, env: {}, cwd: folder });
  const app = await createApp(config, silentLog);
  const { url } = await app.listen();
  const ready = async (): Promise<unknown> => (await fetch(`${url}/readyz`)).json();
  expect(await ready()).toMatchObject({
    status: 'not_ready', not_ready: ['Lookout is starting'],
    parts: [{ part: 'server', ready: false, reasons: ['Lookout is starting'] }, { part: 'records', ready: true, reasons: [] }],
    storage: ['data', 'frames'].map((name) => ({ folder: name, free_bytes: expect.any(Number) as number, size_bytes: expect.any(Number) as number })),
  });
  app.capture();
  expect(await ready()).toMatchObject({ status: 'ready', not_ready: [] });
  const closing = app.close();
  expect(app.face.notReady()).toEqual(['Lookout is stopping']);
  await expect(app.face.start({ camera_id: 'CAM-1', url: 'rtsp://192.0.2.1/s' })).rejects.toMatchObject({ code: 'shutting_down' });
  await closing;
});
