/** Switches streams off and on for whoever may publish to the broker. */
import { errorInfo } from '../../errors.ts';
import { shorten } from '../../lib/shorten.ts';
import type { FollowerContext } from '../../types.ts';
import type { Heard } from './connection.ts';
import type { MqttSettings } from './settings.ts';
import type { Topics } from './topics.ts';

/** Of what is told of one: a broker may send anything. */
const LONGEST_TOPIC = 200;
const WORDS: Readonly<Record<string, boolean>> = { ON: true, OFF: false };

export function createCommands({ lookout, log }: Pick<FollowerContext<MqttSettings>, 'lookout' | 'log'>, topics: Topics, changed: () => void): Heard {
  /** Of each camera the newest only, so that no flood of them outlasts whoever sent it. */
  const asked = new Map<string, boolean>();
  let isAtWork = false;

  async function work(): Promise<void> {
    isAtWork = true;
    for (const [camera, enabled] of asked) {
      asked.delete(camera);
      try {
        await lookout.change(camera, { enabled });
        log.info(`switched ${enabled ? 'on' : 'off'} by MQTT`, { camera });
      } catch (error) {
        log.warn('a command by MQTT failed', { camera, reason: errorInfo(error).message });
      }
      changed();
    }
    isAtWork = false;
  }

  return (topic, payload, retained) => {
    const camera = lookout.streams().map(({ camera_id }) => String(camera_id)).find((id) => topics.setEnabled(id) === topic);
    const fault = retained ? 'it is a retained one, which would be carried out again with every connection: send it without'
      : camera === undefined ? 'there is no such camera'
      : Object.hasOwn(WORDS, payload.toString()) ? null : 'it is neither ON nor OFF';
    if (camera === undefined || fault !== null) {
      log.warn('a command by MQTT is not carried out', { topic: shorten(topic, LONGEST_TOPIC), reason: fault });
      return;
    }
    asked.set(camera, payload.toString() === 'ON');
    if (!isAtWork) void work();
  };
}
