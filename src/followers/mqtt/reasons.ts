/** MQTT 5's reason codes: in words, and whether what was sent is to blame. */
import { ReasonCodes } from 'mqtt';

const [TOPIC_NAME_INVALID, PACKET_TOO_LARGE, PAYLOAD_FORMAT_INVALID, MALFORMED_PACKET] = [0x90, 0x95, 0x99, 0x81];

/** Why a message is not taken, now or ever. Any other reason may pass: a quota, a right that is missing, a broker that is busy. */
const MESSAGE = new Set([TOPIC_NAME_INVALID, PACKET_TOO_LARGE, PAYLOAD_FORMAT_INVALID]);

/** Of an answer to one message. */
export function blamesMessage(code: number): boolean {
  return MESSAGE.has(code);
}

/** Of the end of a connection: something that was sent and not answered. */
export function blamesSomething(code: number): boolean {
  return MESSAGE.has(code) || code === MALFORMED_PACKET;
}

/** With what the broker says beside it. */
export function inWords(code: number, said?: string): string {
  const known = (ReasonCodes as Readonly<Record<number, string>>)[code];
  return `${known === undefined || known === '' ? 'reason' : known.toLowerCase()} (0x${code.toString(16).padStart(2, '0')})${said === undefined || said === '' ? '' : `: ${said}`}`;
}
