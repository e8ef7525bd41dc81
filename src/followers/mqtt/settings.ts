/** What a follower of type `mqtt` is told in lookout.yaml. */

export interface MqttSettings {
  readonly url: string;
  readonly username: string | null;
  readonly password: string | null;
  /** null: made of prefix and name. */
  readonly client_id: string | null;
  readonly prefix: string;
  readonly qos: number;
  /** File of the authority that signed the broker's certificate; null: those that Node knows. */
  readonly ca: string | null;
  readonly tls: string;
  readonly timeout_seconds: number;
  /** Where Home Assistant looks for what there is; null: it is not told. */
  readonly home_assistant: string | null;
  readonly commands: boolean;
}

const LONGEST_PREFIX = 200;

/** What no schema says of them; null: nothing is wrong. */
export function faultOf({ url, prefix, home_assistant, ca }: MqttSettings): string | null {
  if (!/^mqtts?:\/\//i.test(url) || !URL.canParse(url)) return 'url must be an address such as mqtt://broker.example:1883 or mqtts://broker.example:8883';
  const { username, password, hostname, pathname, search, hash, protocol } = new URL(url);
  if (username !== '' || password !== '') return 'url must have no user name and no password in it: they have settings of their own, username and password';
  if (hostname === '' || pathname.replace('/', '') + search + hash !== '') return 'url must be a host and a port, with nothing after it';
  if (ca !== null && protocol !== 'mqtts:') return 'ca is for mqtts:// only';
  return faultOfTopic('prefix', prefix) ?? (home_assistant === null ? null : faultOfTopic('home_assistant', home_assistant));
}

function faultOfTopic(setting: string, text: string): string | null {
  if (/[#+\p{Cc}\p{Cs}]/u.test(text)) return `${setting} must have no #, no + and no control characters in it`;
  if (/^[/$]|\/$|^$/.test(text)) return `${setting} must be a text that begins with neither / nor $ and does not end in /`;
  return Buffer.byteLength(text) > LONGEST_PREFIX ? `${setting} must have no more than ${LONGEST_PREFIX} bytes` : null;
}
