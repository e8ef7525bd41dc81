/** All of Lookout in this process, its followers begun. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createApp } from '../../dist/app.js';
import { loadConfig } from '../../dist/config/load.js';
import { createLog } from '../../dist/lib/log.js';

/** `settings` as lookout.yaml has them; its data lies under the folder. */
export async function openApp(folder, settings) {
  await mkdir(join(folder, 'data'), { recursive: true });
  await writeFile(join(folder, 'data/lookout.yaml'), JSON.stringify({ keep_frames: 'none', offline: true, ...settings }));
  const { config } = await loadConfig({ flags: {}, env: {}, cwd: folder });
  const app = await createApp(config, createLog({ level: 'error', format: 'text', write: () => undefined }));
  await app.follow();
  return app;
}
