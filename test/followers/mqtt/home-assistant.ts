/** What Home Assistant takes for discovery, as its documentation lists it: unknown words are ignored there, and are mistakes here. */
import { Ajv } from 'ajv';

const text = { type: 'string', minLength: 1 } as const;
const topic = { type: 'string', pattern: String.raw`^[^#+\u0000]+$` } as const;

/** Of every entity: mqtt, "Discovery payload", "Device" and "Availability". */
const COMMON = {
  unique_id: text,
  name: text,
  availability_topic: topic,
  availability_template: text,
  payload_available: text,
  payload_not_available: text,
  json_attributes_topic: topic,
  json_attributes_template: text,
  icon: text,
  entity_category: { enum: ['config', 'diagnostic'] },
  enabled_by_default: { type: 'boolean' },
  device: {
    type: 'object',
    additionalProperties: false,
    anyOf: [{ required: ['identifiers'] }, { required: ['connections'] }],
    properties: {
      identifiers: { oneOf: [text, { type: 'array', items: text, minItems: 1 }] },
      connections: { type: 'array', items: { type: 'array', items: text, minItems: 2, maxItems: 2 } },
      name: text, manufacturer: text, model: text, sw_version: text, hw_version: text, suggested_area: text, via_device: text, configuration_url: text,
    },
  },
  origin: { type: 'object', additionalProperties: false, required: ['name'], properties: { name: text, sw_version: text, support_url: text } },
} as const;

const entity = (required: readonly string[], properties: object): object => ({
  type: 'object', additionalProperties: false, required: ['unique_id', 'device', ...required], properties: { ...COMMON, ...properties },
});

const qos = { enum: [0, 1, 2] };

/** By component: the pages of the MQTT binary sensor, image, sensor and switch. */
const COMPONENTS: Readonly<Record<string, object>> = {
  binary_sensor: entity(['state_topic'], {
    state_topic: topic, value_template: text, payload_on: text, payload_off: text, expire_after: { type: 'integer' }, off_delay: { type: 'integer' }, force_update: { type: 'boolean' }, qos,
    device_class: { enum: ['motion', 'moving', 'occupancy', 'presence', 'problem', 'safety', 'smoke'] },
  }),
  image: { ...entity([], { image_topic: topic, url_topic: topic, url_template: text, content_type: { enum: ['image/jpeg', 'image/png'] }, image_encoding: { enum: ['b64'] }, encoding: { type: 'string' } }), oneOf: [{ required: ['image_topic'] }, { required: ['url_topic'] }] },
  sensor: entity(['state_topic'], {
    state_topic: topic, value_template: text, device_class: { enum: ['timestamp', 'date', 'duration', 'enum'] }, unit_of_measurement: text, expire_after: { type: 'integer' }, force_update: { type: 'boolean' }, qos,
  }),
  switch: entity(['command_topic'], {
    command_topic: topic, state_topic: topic, value_template: text, payload_on: text, payload_off: text, state_on: text, state_off: text, optimistic: { type: 'boolean' }, retain: { type: 'boolean' }, qos,
  }),
};

const ajv = new Ajv({ allErrors: true, strict: false });
const checks = new Map(Object.entries(COMPONENTS).map(([component, schema]) => [component, ajv.compile(schema)]));

/** What is wrong with a message on `<prefix>/<component>/<node>/<object>/config`; empty: nothing. */
export function faultsOfDiscovery(prefix: string, on: string, payload: string): readonly string[] {
  const [, component = '', ...rest] = on.startsWith(`${prefix}/`) ? on.slice(prefix.length).split('/') : [];
  const check = checks.get(component);
  if (!check) return [`${on} names no component`];
  const names = rest.length === 3 && rest[2] === 'config' && rest.slice(0, 2).every((name) => /^[a-zA-Z0-9_-]+$/.test(name)) ? [] : [`${on} is no topic of discovery`];
  check(JSON.parse(payload));
  return [...names, ...(check.errors ?? []).map(({ instancePath, message }) => `${on}${instancePath}: ${message ?? ''}`)];
}
