/** Tells Home Assistant what there is: one device for each camera, and for each class that it has seen an entity that is on, a picture, a time. */
import { shorten } from '../../lib/shorten.ts';
import type { Json } from '../../types.ts';
import { level, slug, type Topics } from './topics.ts';

export interface Discovery {
  readonly topic: string;
  readonly config: Readonly<Record<string, Json>>;
}

export interface House {
  /** Where it looks. */
  readonly root: string;
  readonly prefix: string;
  readonly topics: Topics;
  readonly version: string;
}

const LONGEST_NAME = 80;

/** Of a class that a camera has seen. */
export function discoveriesOf(camera: string, name: string, house: House): readonly Discovery[] {
  const { topics } = house;
  const called = shorten(name, LONGEST_NAME);
  const last = topics.last(camera, name);
  const place = { json_attributes_topic: last };
  return [
    entity('binary_sensor', camera, name, house, {
      name: called, device_class: 'motion', state_topic: topics.running(camera, name),
      value_template: "{{ 'ON' if value | int(0) > 0 else 'OFF' }}", ...place,
    }),
    entity('image', camera, name, house, { name: `${called} picture`, image_topic: topics.snapshot(camera, name), content_type: 'image/jpeg' }),
    entity('sensor', camera, name, house, {
      name: `${called} last seen`, device_class: 'timestamp', state_topic: last, value_template: '{{ value_json.last_seen_at }}', ...place,
    }),
  ];
}

/** Of a camera that may be switched off and on. */
export function switchOf(camera: string, house: House): Discovery {
  const { topics } = house;
  return entity('switch', camera, 'enabled', house, { name: 'enabled', command_topic: topics.setEnabled(camera), state_topic: topics.enabled(camera), qos: 1, retain: false });
}

function entity(component: string, camera: string, object: string, { root, prefix, topics, version }: House, more: Readonly<Record<string, Json>>): Discovery {
  const device = `${prefix}/${level(camera)}`;
  return {
    topic: `${root}/${component}/${slug(device)}/${slug(object)}/config`,
    config: {
      ...more,
      unique_id: `${device}/${level(object)}/${component}`,
      availability_topic: topics.available,
      // It knows two words, and there are three.
      availability_template: "{{ 'online' if value == 'online' else 'offline' }}",
      device: { identifiers: [device], name: shorten(camera, LONGEST_NAME), manufacturer: 'Lookout', model: 'camera', sw_version: version },
      origin: { name: 'Lookout', sw_version: version },
    },
  };
}
