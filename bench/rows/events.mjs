/** How soon somebody hears of an event: from its frame's capture to server-sent events, a webhook and MQTT, the model's own call left out. */
import { createServer } from 'node:http';
import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import mqtt from 'mqtt';
import { hasBroker, openBroker } from '../harness/broker.mjs';
import { addWatched } from '../harness/models.mjs';
import { digits, quantile } from '../harness/numbers.mjs';
import { pictures, reel } from '../harness/pictures.mjs';
import { openServer, streamsOf } from '../harness/server.mjs';
import { programFile } from '../harness/programs.mjs';

const CAMERAS = 50;
const UTILISATION = 0.7;
const INTERVAL = 3;
const FRAME_MS = (1000 * UTILISATION * INTERVAL) / CAMERAS;
const WARM = 15;

export const oncePerRun = true;
const words = (way) => ({ what: `frame captured to event heard ${way}, less the model's call, ${CAMERAS} cameras, the model busy ${100 * UTILISATION} %: p95`, atMost: 500, unit: 'ms' });
export const lines = { sse: words('by server-sent events'), webhook: words('by webhook'), mqtt: words('by MQTT') };

export async function measure(column, { quick, say }) {
  const window = quick ? 20 : 120;
  const root = join(column.folder, 'events');
  await mkdir(root);
  const model = await addWatched(root, 'seeing', { module: programFile('seeing'), options: { ms: FRAME_MS }, mix: true, section: 'seen' });
  const url = await reel(await pictures(column.clip, root, 10), join(root, 'reel'), Math.ceil((window + WARM + 60) / INTERVAL));
  const heard = { sse: new Map(), webhook: new Map(), mqtt: new Map() };
  const hear = (way, entry) => { if (entry.state === 'begun') heard[way].set(`${entry.camera_id} ${entry.began_at}`, Date.now()); };
  const hook = createServer((request, response) => {
    let body = '';
    request.on('data', (text) => { body += text; });
    request.on('end', () => {
      hear('webhook', JSON.parse(body).data);
      response.end();
    });
  }).listen(0, '127.0.0.1');
  await once(hook, 'listening');
  const broker = hasBroker ? await openBroker(root) : null;
  const followers = [
    { name: 'hook', type: 'webhook', url: `http://127.0.0.1:${hook.address().port}/` },
    ...(broker ? [{ name: 'broker', type: 'mqtt', url: broker.url, home_assistant: null }] : []),
  ];
  const server = await openServer(root, { settings: { followers, keep_frames: 'none' }, streams: streamsOf(url, CAMERAS, { models: ['seeing'], options: { interval_seconds: INTERVAL } }) });
  const client = broker && await mqtt.connectAsync(broker.url);
  const listening = new AbortController();
  try {
    client?.on('message', (_topic, payload) => { hear('mqtt', JSON.parse(payload.toString()).after); });
    await client?.subscribeAsync('lookout/events', { qos: 1 });
    void listen(`${server.url}/api/events/stream`, (entry) => { hear('sse', entry); }, listening.signal).catch(() => undefined);
    await server.looking(['seeing'], 60);
    await sleep(WARM * 1000);
    const since = Date.now();
    await sleep(window * 1000);
    const calls = new Map((await model.calls()).flatMap((call) => call.frames.map(({ stream, captured_at }) => [`${decodeURIComponent(stream).replace(/_[0-9a-f]{8}$/, '')} ${captured_at}`, call])));
    return Object.fromEntries(Object.entries(heard).map(([way, times]) => {
      const delays = [...times].flatMap(([key, at]) => {
        const call = calls.get(key);
        const captured = Date.parse(key.slice(key.lastIndexOf(' ') + 1));
        return call && captured >= since ? [call.began - captured + (at - call.ended)] : [];
      });
      if (delays.length === 0) return [way, way === 'mqtt' && !broker ? null : undefined];
      say(`${way}: ${delays.length} events, median ${digits(quantile(delays, 0.5))} ms, p95 ${digits(quantile(delays, 0.95))} ms`);
      return [way, quantile(delays, 0.95)];
    }));
  } finally {
    listening.abort();
    await client?.endAsync(true);
    await server.close();
    await broker?.close();
    hook.closeAllConnections();
    hook.close();
    await rm(root, { recursive: true, force: true });
  }
}

async function listen(url, hear, signal) {
  const answer = await fetch(url, { signal });
  let text = '';
  for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const data = /^data: (.*)$/m.exec(text.slice(0, end))?.[1];
      if (data) hear(JSON.parse(data));
      text = text.slice(end + 2);
    }
  }
}
