/** `followers:` in lookout.yaml: what all have, and what each type has of its own, by the files of src/followers. */
import { loadFamily, type Member } from '../lib/family.ts';
import { isObject } from '../lib/objects.ts';
import type { FollowerMember, SettingSchema } from '../types.ts';

const COMMON = {
  name: { description: 'What it is called; its cursor is kept under this name.', type: 'string', format: 'follower-name' },
  type: { description: 'Where it delivers to.', type: 'string' },
  logs: { description: 'What it delivers.', type: 'array', items: { enum: ['records', 'events'] }, minItems: 1, default: ['events'] },
  events: { description: 'Those that alert, or all of them.', type: 'string', enum: ['alerts', 'all'], default: 'alerts' },
  from: { description: 'Where it begins the first time: now, beginning, or a time such as 2026-01-31T12:00:00Z.', type: 'string', format: 'log-place', default: 'now' },
  pictures: { description: 'Records keep their base64 picture.', type: 'boolean', default: false },
  aside_max_bytes: { description: 'Bytes of items that the target refused; the oldest go first.', type: 'integer', minimum: 0, default: 100_000_000 },
} as const;

const MEMBERS = await loadFamily<FollowerMember & Member<never, unknown>>(new URL('../followers/', import.meta.url));

/** JSON Schema of an item of that type. null: there is no such type. */
export function followerSchema(type: unknown): object | null {
  const member = typeof type === 'string' ? MEMBERS.get(type) : undefined;
  if (!member) return null;
  const own = Object.entries(member.settings);
  return {
    type: 'object', additionalProperties: false, properties: { ...COMMON, ...member.settings },
    required: ['name', 'type', ...own.filter(([, schema]) => !('default' in schema)).map(([key]) => key)],
  };
}

export const followerTypes = (): readonly string[] => [...MEMBERS.keys()];

/** What no schema says of its own settings; null: nothing. It must fit the schema. */
export function followerFault(follower: Readonly<Record<string, unknown>>): string | null {
  return MEMBERS.get(String(follower['type']))?.fault?.(ownSettings(withDefaults(follower))) ?? null;
}

/** All that it may have, by the schema of its type. */
export function withDefaults(follower: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const schemas = { ...COMMON, ...MEMBERS.get(String(follower['type']))?.settings };
  const defaults = Object.entries(schemas).flatMap(([key, schema]) => ('default' in schema ? [[key, schema.default] as const] : []));
  return { ...Object.fromEntries(defaults), ...follower };
}

function ownSettings(follower: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(follower).filter(([key]) => !Object.hasOwn(COMMON, key)));
}

/** What the texts of an item are to be: they may have come from the environment. */
export function followerTexts(item: unknown): Readonly<Record<string, Pick<SettingSchema, 'type'>>> {
  return { ...COMMON, ...MEMBERS.get(isObject(item) ? String(item['type']) : '')?.settings };
}
