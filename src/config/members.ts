/** The settings that one source, runtime or stage alone goes by: each stands in that member's own file. */
import { LookoutError } from '../errors.ts';
import { loadFamily, type Member } from '../lib/family.ts';
import type { SettingSchema, SettingSchemas } from '../types.ts';

interface WithSettings extends Member<never, unknown> {
  readonly settings?: SettingSchemas;
}

const FAMILIES = ['sources', 'runtimes', 'pipeline/stages'];

/** `common`: the names of the other settings, which no member may have. */
export async function membersSettings(common: readonly string[]): Promise<SettingSchemas> {
  const found = new Map<string, SettingSchema>();
  for (const family of FAMILIES) {
    for (const [member, { settings = {} }] of await loadFamily<WithSettings>(new URL(`../${family}/`, import.meta.url))) {
      for (const [key, schema] of Object.entries(settings)) {
        if (common.includes(key) || found.has(key)) throw new LookoutError('internal', `the setting ${key} of ${family}/${member} is another part's too`);
        found.set(key, schema);
      }
    }
  }
  return Object.fromEntries(found);
}
