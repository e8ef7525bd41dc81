/** Makes the record, and checks it against its schema: what is wrong must not be written where others read it. */
import { enrich } from '../../record/enrich.ts';
import { checkRecord } from '../../record/schema.ts';
import type { Stage } from '../../types.ts';
import type { StageContext } from '../stages.ts';

export const summary = 'the record, with the camera\'s place and the host\'s address';
export const order = 20;

export function create({ config, hostIp, sectionOf }: StageContext): Stage {
  return (work) => {
    const record = enrich({
      ...work, settings: config, host_ip: hostIp(),
      models: Object.fromEntries(work.batch.models.map((model) => [model, { section: sectionOf(model) }])),
    });
    if (record) checkRecord(record);
    return Promise.resolve({ ...work, record });
  };
}
