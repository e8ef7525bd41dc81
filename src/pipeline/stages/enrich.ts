/** Makes the record, and checks it against its schema: what is wrong must not be written where others read it. */
import { enrich, type RecordSettings } from '../../record/enrich.ts';
import { checkRecord } from '../../record/schema.ts';
import type { SettingSchema, Stage } from '../../types.ts';
import type { StageContext } from '../stages.ts';

export const summary = 'the record, with the camera\'s place and the host\'s address';
export const order = 20;

export const settings = {
  record_when: {
    description: 'A record for every batch, or only when something was found or a model failed; null: always, with v3 found.',
    type: ['string', 'null'], enum: ['always', 'found', null], default: null,
  },
} as const satisfies Partial<Record<keyof RecordSettings, SettingSchema>>;

export function create({ config, hostIp, sectionOf }: StageContext<RecordSettings>): Stage {
  return (work) => {
    const record = enrich({
      ...work, settings: config, host_ip: hostIp(),
      models: Object.fromEntries(work.batch.models.map((model) => [model, { section: sectionOf(model, work.batch.camera_id) }])),
    });
    if (record) checkRecord(record);
    return Promise.resolve({ ...work, record });
  };
}
