/** GET /metrics for Prometheus: what the Face tells at the moment of the scrape, and what the process tells of itself. */
import { setImmediate as pause } from 'node:timers/promises';
import { Router } from 'express';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { errorInfo } from '../errors.ts';
import type { Face } from '../types.ts';
import { FAMILIES, type Family, type Seen } from './metric-families.ts';
import { route } from './route.ts';

/** Of the process's own: counted up by label they are told again without _total, which is for counters; and a minimum of nothing. */
const LEFT_OUT = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total', 'nodejs_eventloop_lag_min_seconds'];

export function metricRoutes(face: Face, version: string): Router {
  const router = Router();
  /** Made with the first scrape: its observers cost a little, and stay. */
  let ofProcess: Registry | null = null;

  function processMetrics(): Registry {
    if (ofProcess) return ofProcess;
    ofProcess = new Registry();
    collectDefaultMetrics({ register: ofProcess });
    for (const name of LEFT_OUT) ofProcess.removeSingleMetric(name);
    return ofProcess;
  }

  route(router, '/metrics', {
    get: async (_request, response) => {
      const [models, followers] = await Promise.all([known(face.models()), known(face.followers())]);
      const seen: Seen = { version, ready: face.notReady().length === 0, streams: face.streams(), models, storage: await face.storage(), followers };
      const parts = [await processMetrics().metrics()];
      for (const family of FAMILIES) {
        parts.push(textOf(family, seen));
        // With a thousand cameras they are megabytes: frames are not to wait for all of them.
        await pause();
      }
      response.set({ 'Content-Type': Registry.PROMETHEUS_CONTENT_TYPE, 'Cache-Control': 'no-store' }).send(Buffer.from(parts.join('\n')));
    },
  });

  return router;
}

/** What cannot be told while Lookout starts, or a disk gives no answer, is left out: that it is not ready is to be seen then. */
async function known<One>(told: Promise<readonly One[]>): Promise<readonly One[]> {
  try {
    return await told;
  } catch (error) {
    if (['not_ready', 'disk_failed'].includes(errorInfo(error).code)) return [];
    throw error;
  }
}

/** In the text format. By the package's counters and gauges, the tens of thousands of values of a thousand cameras take the processor ten times as long. */
function textOf({ name, type, help, labels, samples }: Family, seen: Seen): string {
  const lines = samples(seen).map(([values, value]) => {
    const told = labels.map((label, index) => `${label}="${escaped(values[index] ?? '')}"`);
    return `${name}${told.length > 0 ? `{${told.join(',')}}` : ''} ${value}\n`;
  });
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

/** A label's value as the format wants it. */
function escaped(value: string): string {
  return value.replace(/[\\"\n]/g, (letter) => (letter === '\n' ? '\\n' : `\\${letter}`));
}
