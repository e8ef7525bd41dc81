/** Settings of a follower of a broker on this machine. */
import { settings } from '../../../src/followers/mqtt.ts';
import type { MqttSettings } from '../../../src/followers/mqtt/settings.ts';

export function settingsFor(port: number, more: Partial<MqttSettings> = {}): MqttSettings {
  const defaults = Object.fromEntries(Object.entries(settings).flatMap(([name, setting]) => ('default' in setting ? [[name, setting.default]] : [])));
  return { ...defaults, url: `mqtt://127.0.0.1:${port}`, timeout_seconds: 2, ...more } as MqttSettings;
}
