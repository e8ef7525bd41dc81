/** `lookout serve`: the server alone. */
import { once } from 'node:events';
import { createApp, type App } from '../app.ts';
import { accessInWords } from '../http/access.ts';
import { claimPort } from '../http/server.ts';
import { letHeapGrow } from '../lib/heap.ts';
import type { Log } from '../lib/log.ts';
import type { Config } from '../types.ts';
import { prepareCommand, print, type CommandContext } from './context.ts';

export async function serve(context: CommandContext): Promise<number> {
  const { config, log } = await prepareCommand(context);
  await serveUntil(context.signal, config, log, () => Promise.resolve());
  return 0;
}

/** Runs the server until the signal, then stops it in order; leaves hard when that takes too long. */
export async function serveUntil(signal: AbortSignal, config: Config, log: Log, started: (app: App) => Promise<void>): Promise<void> {
  letHeapGrow();
  // In a container: Node reaps its own children only, and those of a runner that ended become the first process's.
  if (process.pid === 1) log.warn('it is the first process here, where processes that nobody waits for stay for ever: start it under an init, such as tini, or docker run --init');
  // Whether it is free is known before anything is built, connected or taken up.
  const port = await claimPort(config, log.part('http'));
  // Streams may not lead to it, whichever it has become.
  const app = await createApp({ ...config, port: port.port }, log, { signal }).catch(async (error: unknown) => {
    await port.close();
    throw error;
  });
  try {
    signal.throwIfAborted();
    const { url, access } = await app.listen(port);
    await app.follow();
    print(`Lookout is at ${url}`);
    for (const line of accessInWords(access, process.stdout.isTTY)) print(line);
    signal.throwIfAborted();
    app.capture();
    await started(app);
    const over = AbortSignal.any([signal, app.lost]);
    if (!over.aborted) await once(over, 'abort');
    app.lost.throwIfAborted();
  } finally {
    const late = setTimeout(() => {
      log.error('stopping took too long: leaving; what was open is taken up at the next start');
      process.exit(1);
    }, (config.grace_seconds + 10) * 1000);
    await app.close();
    clearTimeout(late);
  }
}
