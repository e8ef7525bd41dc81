import { join } from 'node:path';
import { loadFamily, type Member } from '../../src/lib/family.ts';
import { silentLog } from '../../src/lib/log.ts';
import type { Sink } from '../../src/types.ts';
import { sinkContract } from '../contracts/sink.ts';

type SinkMember = Member<{ config: object; log: typeof silentLog }, Sink | Promise<Sink>>;

const sinks = await loadFamily<SinkMember>(new URL('../../src/sinks/', import.meta.url));

for (const [name, { create }] of sinks) {
  for (const format of ['json', 'ndjson']) {
    sinkContract(`${name} (${format})`, async (folder) => {
      const config = { predictions: join(folder, 'predictions.json'), data_dir: join(folder, 'data'), format, rotate_bytes: null };
      return create({ config, log: silentLog });
    });
  }
}
