/** The whole of Lookout in this process, on a free port, with folders of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp, type App } from '../../src/app.ts';
import { loadConfig } from '../../src/config/load.ts';
import { createLog } from '../../src/lib/log.ts';
import type { BatchRecord, Config, StreamStatus } from '../../src/types.ts';

export interface TestApp {
  readonly app: App;
  readonly config: Config;
  readonly url: string;
  /** Everything logged so far. */
  readonly log: () => string;
  post(path: string, body: unknown): Promise<{ readonly status: number; readonly body: unknown }>;
  stream(cameraId: string): StreamStatus;
  /** Waits until so many records of a camera were written, and gives them. */
  records(cameraId: string, count: number, deadlineMs: number): Promise<readonly BatchRecord[]>;
  close(): Promise<void>;
}

/** All tests are run with either. */
const ENGINE = Object.fromEntries(Object.entries(process.env).filter(([name]) => name === 'LOOKOUT_CAPTURE_ENGINE'));

/** `config` names its settings file, in the folder. */
export async function startTestApp(settings: Partial<Config> & { readonly config?: string } = {}, folder?: string): Promise<TestApp> {
  const root = folder ?? await mkdtemp(join(tmpdir(), 'lookout-'));
  const { config } = await loadConfig({ flags: { port: 0, ...settings }, env: ENGINE, cwd: root });
  const lines: string[] = [];
  const app = await createApp(config, createLog({ level: 'debug', format: 'text', write: (line) => lines.push(line) }));
  const written: BatchRecord[] = [];
  app.onRecord((record) => written.push(record));
  const { url } = await app.listen();
  await app.follow();
  app.capture();
  const cameraOf = (record: BatchRecord): string => record.batch.session.replace(/_[0-9a-f]{8}$/, '');
  return {
    app, config, url,
    log: () => lines.join(''),
    async post(path, body) {
      const response = await fetch(`${url}${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
      return { status: response.status, body: await response.json() };
    },
    stream(cameraId) {
      const status = app.face.stream(cameraId);
      if (!status) throw new Error(`no stream of ${cameraId}`);
      return status;
    },
    async records(cameraId, count, deadlineMs) {
      const own = (): BatchRecord[] => written.filter((record) => cameraOf(record) === cameraId);
      await until(() => own().length >= count, deadlineMs, () => `${own().length} of ${count} records of ${cameraId}\n${lines.slice(-40).join('')}`);
      return own();
    },
    async close() {
      await app.close();
      if (folder === undefined) await rm(root, { recursive: true, force: true });
    },
  };
}

/** Polls until the condition holds, less often where each look is dear; throws with `otherwise()` after the deadline. */
export async function until(condition: () => boolean | Promise<boolean>, deadlineMs: number, otherwise: () => string, everyMs = 50): Promise<void> {
  const end = Date.now() + deadlineMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`not within ${deadlineMs / 1000} s: ${otherwise()}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
