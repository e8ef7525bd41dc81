/** Sources alone: sources.mjs <url> <streams> <interval in seconds>. Every picture is made and let go, until its input ends. */
import { setMaxListeners } from 'node:events';
import { loadConfig } from '../../dist/config/load.js';
import { silentLog } from '../../dist/lib/log.js';
import { createSources } from '../../dist/parts.js';
import { USUAL_STREAM_OPTIONS } from '../../dist/words/stream-options.js';

const [, , url, streams, interval] = process.argv;
const { config } = await loadConfig({ flags: {}, env: {}, cwd: '/' });
const source = (await createSources(config, silentLog)).get(new URL(url).protocol.slice(0, -1));
const stop = new AbortController();
// Every source listens to it.
setMaxListeners(0, stop.signal);

async function play() {
  const frames = source.frames({ camera_id: 'CAM', url, trusted: true, models: [], options: { ...USUAL_STREAM_OPTIONS, interval_seconds: Number(interval) } }, '/nowhere', stop.signal);
  for await (const frame of frames) if (!frame.width) throw new Error('a picture without a size');
}

process.stdin.resume().on('end', () => { stop.abort(); });
await Promise.all(Array.from({ length: Number(streams) }, play));
