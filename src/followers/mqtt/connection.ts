/** One connection to a broker, from its greeting to its end: what is not answered when it ends was not delivered, and nothing is sent again behind anybody's back. */
import { readFile } from 'node:fs/promises';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { MqttClient, Store, type IClientOptions, type IStore } from 'mqtt';
import { LookoutError } from '../../errors.ts';
import { untilAborted } from '../../lib/abort.ts';
import { systemClock } from '../../lib/clock.ts';
import { FINDING } from '../../lib/names.ts';
import { hiderOfSecrets } from '../../lib/secrets.ts';
import { shorten } from '../../lib/shorten.ts';
import { followPackets } from './packet-lengths.ts';
import { packetSize } from './packet-size.ts';
import { placeOf, usualPort } from './place.ts';
import { blamesMessage, blamesSomething, inWords } from './reasons.ts';
import type { MqttSettings } from './settings.ts';

export interface Message {
  readonly topic: string;
  readonly payload: string | Uint8Array;
  readonly contentType: string;
  readonly retain: boolean;
  /** By which receivers tell repeats; null: of no item. */
  readonly id: string | null;
}

export interface Identity {
  readonly clientId: string;
  /** The topic on which the broker says `offline` when the connection is lost; null: nothing is said. */
  readonly available: string | null;
}

export type Heard = (topic: string, payload: Buffer, retained: boolean) => void;

export interface Connection {
  /** Aborts when it ends, for a `target_away` that says why. */
  readonly lost: AbortSignal;
  /** Why the broker ended it, if that was something that it was sent, in words; null: something else, or it has not ended. */
  readonly objection: string | null;
  readonly keepsRetained: boolean;
  /** Of a packet, in bytes; null: the broker names none. */
  readonly mostBytes: number | null;
  /** Resolves when the broker has it: null, or why it does not take it, ever. Throws `target_away`, or the signal's reason. */
  publish(message: Message, signal: AbortSignal): Promise<string | null>;
  subscribe(filter: string, heard: Heard): Promise<void>;
  /** Ends it in order, so that the broker says nothing of it, or in disorder where that takes too long. */
  leave(withinMs: number): Promise<void>;
  drop(why: string): void;
}

/** Messages on the way at a time; a broker may want fewer. */
const MOST_ON_THE_WAY = 100;
const KEEPALIVE_SECONDS = 30;
/** A message may take a second more for so many bytes: a slow line is no dead one. */
const SLOWEST_BYTES = 4096;
/** What the library makes of a refusal whose reason is none for a single message: it names none, and goes on no more. */
const ODD_REFUSAL = /^Invalid puback reason code/;
/** Of what is told of a broker's words. */
const LONGEST_WORDS = 500;
/** Of a command, which is all that comes from a broker. */
const MOST_HEARD_BYTES = 65_536;

/** Keeps nothing: what is not answered is brought again by whoever reads the log. */
function createNoStore(): IStore {
  const empty = new Store();
  const store: IStore = {
    put(_packet, done) {
      done();
      return store;
    },
    del(_packet, done) {
      done();
      return store;
    },
    get(packet, done) {
      empty.get(packet, done);
      return store;
    },
    createStream: () => empty.createStream(),
    close(done) { done(); },
  };
  return store;
}

/** Throws `target_away`. */
export async function connectTo(settings: MqttSettings, identity: Identity, signal: AbortSignal): Promise<Connection> {
  signal.throwIfAborted();
  const ca = await certificatesOf(settings);
  const client = new MqttClient(() => socketTo(settings, ca), optionsOf(settings, identity));
  // What brokers say may repeat what they were told, at any length.
  const hideSecret = hiderOfSecrets([settings.password]);
  const hide = (text: string): string => shorten(hideSecret(text), LONGEST_WORDS);
  const lost = new AbortController();
  let objection: string | null = null;
  /** Why it ends, as far as that is known before it has. */
  let why: string | null = null;

  const lose = (reason: string): void => {
    if (lost.signal.aborted) return;
    lost.abort(new LookoutError('target_away', hide(`${placeOf(settings.url)}: ${why ?? reason}`)));
    client.end(true);
    client.stream.destroy();
  };
  client.stream.on('data', followPackets((bytes) => {
    if (bytes > MOST_HEARD_BYTES) lose(`the broker sends a packet of ${bytes} bytes, and was asked for ${MOST_HEARD_BYTES} at the most`);
  }));
  client.on('packetreceive', (packet) => {
    if (packet.messageId === undefined || packet.messageId >= 0) return;
    lose('the broker sends a packet that breaks off');
    // The library answers it all the same, and would throw where it writes that number.
    packet.messageId = 0;
  });
  client.on('disconnect', ({ reasonCode = 0, properties }) => {
    why = `the broker ends the connection: ${inWords(reasonCode, properties?.reasonString)}`;
    if (blamesSomething(reasonCode)) objection = hide(why);
  });
  client.on('error', (error) => {
    if (ODD_REFUSAL.test(error.message)) objection = 'the broker refuses it for a reason that MQTT does not know there, as Mosquitto does with what is longer than its message_size_limit';
    lose(objection ?? errorInWords(error));
  });
  client.on('close', () => { lose('the connection is lost'); });

  const greeting = await untilAborted(greetingOf(client, lost.signal), signal).catch((error: unknown) => {
    lose('nobody waits for it any longer');
    throw error;
  });
  const { receiveMaximum = MOST_ON_THE_WAY, maximumQoS = 2, maximumPacketSize, retainAvailable = true } = greeting;
  const qos = Math.min(settings.qos, maximumQoS);
  if (qos < 1) {
    lose('the broker acknowledges no messages (it takes QoS 0 only), so nobody can tell whether they came');
    throw lost.signal.reason;
  }

  const line: (() => void)[] = [];
  const most = Math.max(1, Math.min(MOST_ON_THE_WAY, receiveMaximum));
  const onTheWay = new Set<{ readonly bytes: number }>();
  const watch = createWatch(client, (seconds) => { lose(`the broker has acknowledged nothing for ${seconds} s`); });

  /** They come one after the other: each is waited for as long as the largest may take. */
  function wait(): void {
    if (onTheWay.size === 0 || lost.signal.aborted) {
      watch.rest();
      return;
    }
    const largest = Math.max(...[...onTheWay].map(({ bytes }) => bytes));
    watch.begin(settings.timeout_seconds + Math.floor(largest / SLOWEST_BYTES));
  }
  // Of QoS 2: it has come, and what is left to be said about it stands behind the others.
  client.on('packetreceive', ({ cmd }) => { if (cmd === 'pubrec') wait(); });
  lost.signal.addEventListener('abort', () => {
    watch.rest();
    line.length = 0;
  });

  function next(): void {
    while (onTheWay.size < most) {
      const send = line.shift();
      if (!send) return;
      send();
    }
  }

  function send(message: Message, userProperties: Readonly<Record<string, string>>, bytes: number): Promise<string | null> {
    const packet = { bytes };
    onTheWay.add(packet);
    if (onTheWay.size === 1) wait();
    return new Promise((resolve, reject) => {
      const payload = typeof message.payload === 'string' ? message.payload : Buffer.from(message.payload.buffer, message.payload.byteOffset, message.payload.length);
      const properties = { payloadFormatIndicator: typeof payload === 'string', contentType: message.contentType, ...(message.id !== null && { userProperties }) };
      client.publish(message.topic, payload, { qos: qos as 1 | 2, retain: message.retain && retainAvailable, properties }, (error) => {
        onTheWay.delete(packet);
        wait();
        const code = error && 'code' in error && typeof error.code === 'number' ? error.code : null;
        if (!error) resolve(null);
        else if (code !== null && blamesMessage(code)) resolve(hide(`the broker refuses it: ${inWords(code)}`));
        else reject(new LookoutError('target_away', hide(`${placeOf(settings.url)}: the broker does not take messages on ${message.topic}: ${code === null ? error.message : inWords(code)}`)));
        next();
      });
    });
  }

  return {
    lost: lost.signal,
    keepsRetained: retainAvailable,
    mostBytes: maximumPacketSize ?? null,
    get objection() {
      return objection;
    },
    publish(message, until) {
      const userProperties = message.id === null ? {} : { id: message.id };
      const bytes = packetSize({ ...message, payloadBytes: Buffer.byteLength(message.payload), userProperties });
      if (maximumPacketSize !== undefined && bytes > maximumPacketSize) {
        return Promise.resolve(`it makes a packet of ${bytes} bytes, and the broker takes ${maximumPacketSize} at the most`);
      }
      const answer = new Promise<string | null>((resolve, reject) => {
        line.push(() => {
          if (until.aborted) reject(until.reason as Error);
          else send(message, userProperties, bytes).then(resolve, reject);
        });
      });
      next();
      return untilAborted(untilAborted(answer, lost.signal), until);
    },
    async subscribe(filter, heard) {
      client.on('message', (topic, payload, { retain }) => { heard(topic, payload, retain); });
      // With the mark of a retained message kept, so that one that comes late can be told from one that was meant now.
      await untilAborted(client.subscribeAsync(filter, { qos: 1, rap: true }), lost.signal);
    },
    async leave(withinMs) {
      why = 'Lookout leaves';
      const patience = new AbortController();
      await Promise.race([new Promise<void>((resolve) => { client.end(false, () => { resolve(); }); }), systemClock.sleep(withinMs, patience.signal)]);
      patience.abort();
      lose(why);
    },
    drop: lose,
  };
}

/** null: of nobody in particular. */
async function certificatesOf({ ca }: MqttSettings): Promise<Buffer | null> {
  return ca === null ? null : readFile(ca).catch((error: unknown) => {
    throw new LookoutError('target_away', `the file of ca cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  });
}

/** Not the library's, which cannot be told how names are looked up. */
function socketTo({ url, tls }: MqttSettings, ca: Buffer | null): Socket {
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  // Messages are small and waited for: held back for company, each would be 40 ms late.
  const to = { host, port: Number(port === '' ? usualPort(protocol) : port), ...FINDING, noDelay: true };
  if (protocol !== 'mqtts:') return connect(to);
  return connectTls({ ...to, servername: isIP(host) === 0 ? host : '', rejectUnauthorized: tls !== 'off', ...(ca && { ca }) });
}

function optionsOf(settings: MqttSettings, { clientId, available }: Identity): IClientOptions {
  return {
    protocolVersion: 5, clientId, clean: true, keepalive: KEEPALIVE_SECONDS, properties: { maximumPacketSize: MOST_HEARD_BYTES }, connectTimeout: settings.timeout_seconds * 1000,
    // A connection that is lost is gone, with all that was to be sent by it.
    reconnectPeriod: 0, resubscribe: false, queueQoSZero: false, outgoingStore: createNoStore(),
    // Messages of QoS 2, of which none are asked for: they would be kept until the broker says more of them.
    incomingStore: createNoStore(),
    ...(settings.username !== null && { username: settings.username }),
    ...(settings.password !== null && { password: settings.password }),
    ...(available !== null && { will: { topic: available, payload: Buffer.from('offline'), qos: 1, retain: true, properties: { contentType: 'text/plain' } } }),
  };
}

/** What the broker allows, as far as it says. */
interface Greeting {
  readonly receiveMaximum?: number;
  readonly maximumQoS?: number;
  readonly maximumPacketSize?: number;
  readonly retainAvailable?: boolean;
}

function greetingOf(client: MqttClient, lost: AbortSignal): Promise<Greeting> {
  const greeted = new Promise<Greeting>((resolve) => {
    client.once('connect', ({ properties = {} }) => { resolve(properties); });
  });
  return untilAborted(greeted, lost);
}

interface Watch {
  begin(seconds: number): void;
  rest(): void;
}

/** Says when it was not begun anew for so long. */
function createWatch(client: MqttClient, stuck: (seconds: number) => void): Watch {
  let cancel = (): void => undefined;
  const rest = (): void => { cancel(); };
  function begin(seconds: number): void {
    const end = systemClock.monotonic() + seconds * 1000;
    const look = (): void => {
      rest();
      const left = end - systemClock.monotonic();
      if (left <= 0) {
        stuck(seconds);
        return;
      }
      // A ping would stand behind a long message, and the library end the connection for want of its answer.
      client.reschedulePing(true);
      cancel = systemClock.after(Math.min(left, KEEPALIVE_SECONDS * 1000), look);
    };
    look();
  }
  return { begin, rest };
}

function errorInWords(error: Error & { readonly code?: unknown }): string {
  switch (error.code) {
    case 0x86: case 0x87:
      return `the broker refuses the user name or password, or what the client may do: ${inWords(error.code)}`;
    case 'DEPTH_ZERO_SELF_SIGNED_CERT': case 'SELF_SIGNED_CERT_IN_CHAIN': case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE': case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return `the broker's certificate is not trusted: nobody known signed it; name the file of who did in ca (${error.code})`;
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return 'the broker\'s certificate is for another name than the one in url';
    default:
      if (typeof error.code === 'number') return `the broker refuses the connection: ${inWords(error.code)}`;
      return error.message === 'connack timeout' ? 'the broker does not answer' : error.message || `the broker cannot be reached (${String(error.code)})`;
  }
}
