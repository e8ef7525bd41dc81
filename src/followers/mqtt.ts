/** Messages to an MQTT broker: records and events as they come, what is now as retained ones, and Home Assistant is told what there is. */
import { randomBytes } from 'node:crypto';
import { LookoutError } from '../errors.ts';
import { untilAborted } from '../lib/abort.ts';
import { systemClock } from '../lib/clock.ts';
import { linked } from '../lib/linked.ts';
import type { Follower, FollowerContext } from '../types.ts';
import { createBoard } from './mqtt/board.ts';
import { createCommands } from './mqtt/commands.ts';
import type { Connection } from './mqtt/connection.ts';
import { deliverItems } from './mqtt/deliver.ts';
import { createLine } from './mqtt/line.ts';
import { createMessages } from './mqtt/messages.ts';
import { createNotices } from './mqtt/notices.ts';
import { placeOf } from './mqtt/place.ts';
import { createPresence } from './mqtt/presence.ts';
import { faultOf, type MqttSettings } from './mqtt/settings.ts';
import { createTopics, propertyText } from './mqtt/topics.ts';

export const summary = 'messages to an MQTT 5 broker, with Home Assistant\'s discovery';

export const settings = {
  url: { description: 'The broker: mqtt://host:1883, or mqtts://host:8883 over TLS.', type: 'string', minLength: 1 },
  username: { description: 'User name there; null: none.', type: ['string', 'null'], default: null },
  password: { description: 'Password there; null: none.', type: ['string', 'null'], default: null },
  client_id: { description: 'Name of the connection, of which a broker keeps one at a time; null: made of prefix and name.', type: ['string', 'null'], minLength: 1, default: null },
  prefix: { description: 'What topics begin with; another for each Lookout at one broker.', type: 'string', minLength: 1, default: 'lookout' },
  qos: { description: '1: the broker acknowledges each message. 2: it takes each once, which a repeat after a failure does not keep.', type: 'integer', minimum: 1, maximum: 2, default: 1 },
  ca: { description: 'File (PEM) of the authority that signed the broker\'s certificate; null: the usual ones.', type: ['string', 'null'], minLength: 1, default: null },
  tls: { description: 'verify: only the broker that url names. off: whoever answers.', type: 'string', enum: ['verify', 'off'], default: 'verify' },
  timeout_seconds: { description: 'A broker that has not answered for so long, and a second more for each 4 kB of a message, is away.', type: 'number', minimum: 1, maximum: 600, default: 10 },
  home_assistant: { description: 'Prefix of Home Assistant\'s discovery; null: it is told nothing.', type: ['string', 'null'], default: 'homeassistant' },
  commands: { description: 'Whoever may publish under prefix may switch cameras off and on.', type: 'boolean', default: false },
} as const;

export const secrets = ['password'] as const;

export function target({ url, prefix }: MqttSettings): string {
  return `${placeOf(url)} ${prefix}/#`;
}

export { faultOf as fault };

/** How often states of streams are looked at. */
const LOOK_MS = 1000;
/** Of what may take a second in all. */
const [LAST_WORD_MS, LEAVE_MS] = [500, 400];

export function create(context: FollowerContext<MqttSettings>): Follower {
  const { settings: own, log, name } = context;
  const topics = createTopics(own.prefix);
  const life = linked(context.signal);
  const clientId = own.client_id ?? propertyText(`${own.prefix}-${name}`);
  const messages = createMessages(topics);

  const noticesOf = createNotices(context, topics);
  const board = createBoard(() => noticesOf(presence.sights()), (message, facts) => { log.warn(message, facts); }, life.signal);
  const update = async (): Promise<void> => {
    if (line.current) await board.update(line.current);
  };
  const presence = createPresence(update);
  const commands = own.commands ? createCommands(context, topics, () => void update()) : null;

  // Not before somebody follows by it: it takes a tenth of a second to be read.
  const connect = async (identity: { readonly clientId: string; readonly available: string | null }, signal: AbortSignal): Promise<Connection> => {
    const { connectTo } = await import('./mqtt/connection.ts');
    return connectTo(own, identity, signal);
  };

  const line = createLine({
    connect: (signal) => connect({ clientId, available: topics.available }, signal),
    connected(connection) {
      log.info('connected to the broker', { broker: placeOf(own.url) });
      if (!connection.keepsRetained) log.warn('the broker keeps no retained messages: whoever comes later sees no state', { broker: placeOf(own.url) });
      if (commands) {
        connection.subscribe(topics.setEnabledFilter, commands).catch((error: unknown) => {
          if (!connection.lost.aborted) log.warn('the broker lets no commands be heard', { reason: error instanceof Error ? error.message : String(error) });
        });
      }
      void board.update(connection);
    },
    lost(why) {
      log.warn('the broker is away', { reason: why instanceof Error ? why.message : String(why) });
    },
  }, life.signal);

  let isBegun = false;

  async function look(): Promise<void> {
    while (!life.signal.aborted) {
      await systemClock.sleep(LOOK_MS, life.signal);
      await update();
    }
  }

  function begin(): void {
    if (isBegun || life.signal.aborted) return;
    isBegun = true;
    line.keepUp();
    void look();
  }

  return {
    begin,
    async deliver(items, signal) {
      begin();
      presence.begin();
      let isAway = true;
      try {
        const refused = await deliverItems(items, line, messages, board.alone, signal);
        await untilAborted(presence.delivered(items), signal);
        isAway = false;
        return refused;
      } finally {
        presence.end(isAway && !signal.aborted);
      }
    },
    async test(signal) {
      // By a name of its own: of two with one name a broker sends the first away.
      const connection = await connect({ clientId: `${clientId}-test-${randomBytes(4).toString('hex')}`, available: null }, signal);
      try {
        const refusal = await connection.publish({ topic: topics.test, payload: 'test', contentType: 'text/plain', retain: false, id: null }, signal);
        if (refusal !== null) throw new LookoutError('target_away', `${placeOf(own.url)}: ${topics.test}: ${refusal}`);
        return `${placeOf(own.url)} takes messages under ${own.prefix}/${connection.mostBytes === null ? '' : `, of ${connection.mostBytes} bytes at the most`}`;
      } finally {
        await connection.leave(LEAVE_MS);
      }
    },
    async close() {
      presence.close();
      board.close();
      line.stop();
      const connection = line.current;
      if (connection) await sayGoodbye(connection);
      life.abort(new Error('the follower is closed'));
    },
  };

  async function sayGoodbye(connection: Connection): Promise<void> {
    try {
      await connection.publish({ topic: topics.available, payload: 'stopped', contentType: 'text/plain', retain: true, id: null }, AbortSignal.timeout(LAST_WORD_MS));
      await connection.leave(LEAVE_MS);
    } catch {
      // Then the broker says that we are gone, in its own time.
      connection.drop('Lookout stops');
    }
  }
}
