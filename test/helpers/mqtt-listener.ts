/** Somebody who hears everything that is published at a broker. */
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';

export interface Heard {
  readonly topic: string;
  readonly payload: Buffer;
  /** It stood there before we came, or comes with the mark of what stays. */
  readonly retained: boolean;
  readonly contentType: string | null;
  /** The item's, by the property `id`. */
  readonly id: string | null;
}

export interface Listener {
  readonly heard: readonly Heard[];
  /** Resolves when all that was published until now has come. */
  settled(): Promise<readonly Heard[]>;
  publish(topic: string, payload: string, retain?: boolean): Promise<void>;
  close(): Promise<void>;
}

export async function listen(port: number, heard: Heard[] = [], options: IClientOptions = {}): Promise<Listener> {
  const client: MqttClient = await connectAsync({ port, host: '127.0.0.1', protocol: 'mqtt', protocolVersion: 5, reconnectPeriod: 0, ...options });
  const marks = new Map<string, () => void>();
  let number = 0;
  client.on('message', (topic, payload, { retain, properties }) => {
    if (topic === 'mark') marks.get(payload.toString())?.();
    else heard.push({ topic, payload, retained: retain, contentType: properties?.contentType ?? null, id: idOf(properties?.userProperties?.['id']) });
  });
  // Whoever reconnects is told so by each try that fails.
  client.on('error', () => undefined);
  await client.subscribeAsync('#', { qos: 1, rap: true });
  return {
    heard,
    async settled() {
      number += 1;
      const mark = String(number);
      const come = new Promise<void>((resolve) => { marks.set(mark, resolve); });
      await client.publishAsync('mark', mark, { qos: 1 });
      await come;
      return heard;
    },
    async publish(topic, payload, retain = false) {
      await client.publishAsync(topic, payload, { qos: 1, retain });
    },
    close: () => client.endAsync(true),
  };
}

const idOf = (property: string | readonly string[] | undefined): string | null => (typeof property === 'string' ? property : null);
