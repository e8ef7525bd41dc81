/** What stands at the broker for whoever comes later: the state of things as they are now. */
import type { EventEntry, FollowerContext } from '../../types.ts';
import { discoveriesOf, switchOf, type Discovery, type House } from './discovery.ts';
import type { Sight } from './episodes.ts';
import type { MqttSettings } from './settings.ts';
import type { Topics } from './topics.ts';

/** A retained message. */
export interface Notice {
  readonly topic: string;
  /** Another whenever the payload is. */
  readonly mark: string;
  readonly contentType: string;
  /** null: there is nothing to be shown any more. */
  payload(): string | Promise<Uint8Array | null>;
}

/** Pairs of camera and class; more than there are sights. */
const MOST_KEPT = 4000;

type Context = Pick<FollowerContext<MqttSettings>, 'settings' | 'version' | 'lookout' | 'picture'>;

/** They are asked for once a second and after each event, and may be thousands: what never changes is made once. */
export function createNotices({ settings: { prefix, home_assistant, commands }, version, lookout, picture }: Context, topics: Topics): (sights: readonly Sight[]) => readonly Notice[] {
  const house: House | null = home_assistant === null ? null : { root: home_assistant, prefix, topics, version };
  /** By camera and class. */
  const discoveries = new Map<string, readonly Notice[]>();

  function discoveriesOfSight({ camera, class: name }: Sight): readonly Notice[] {
    if (!house) return [];
    const key = JSON.stringify([camera, name]);
    const known = discoveries.get(key) ?? discoveriesOf(camera, name, house).map(discovery);
    // Those that are needed no more go with all others.
    if (discoveries.size >= MOST_KEPT) discoveries.clear();
    discoveries.set(key, known);
    return known;
  }

  /** Only of cameras that have a stream: what is told of others is an event of the past. */
  return (sights) => {
    const streams = lookout.streams();
    const cameras = new Set(streams.map(({ camera_id }) => String(camera_id)));
    return [
      text(topics.available, 'online'),
      ...streams.flatMap(({ camera_id, state, enabled }) => {
        const camera = String(camera_id);
        return [
          text(topics.state(camera), state),
          ...(commands ? [text(topics.enabled(camera), enabled ? 'ON' : 'OFF')] : []),
          ...(commands && house ? [discovery(switchOf(camera, house))] : []),
        ];
      }),
      ...sights.filter(({ camera }) => cameras.has(camera)).flatMap((sight) => {
        const { camera, class: name, running, last, shown } = sight;
        return [
          text(topics.running(camera, name), String(running)),
          { topic: topics.last(camera, name), mark: `${last.id}/${last.sequence}`, contentType: 'application/json', payload: () => JSON.stringify(lastOf(last)) },
          { topic: topics.snapshot(camera, name), mark: shown.id, contentType: 'image/jpeg', payload: () => picture(shown) },
          ...discoveriesOfSight(sight),
        ];
      }),
    ];
  };
}

function text(topic: string, payload: string): Notice {
  return { topic, mark: payload, contentType: 'text/plain', payload: () => payload };
}

/** It never changes as long as Lookout runs. */
function discovery({ topic, config }: Discovery): Notice {
  return { topic, mark: 'discovery', contentType: 'application/json', payload: () => JSON.stringify(config) };
}

function lastOf({ id, camera_id, place, rule, section, class: name, began_at, last_seen_at, ended_at, best }: EventEntry): object {
  return {
    event: id, camera_id, rule, section, class: name, began_at, last_seen_at, ended_at, confidence: best.confidence,
    latitude: place?.latitude ?? null, longitude: place?.longitude ?? null,
  };
}
