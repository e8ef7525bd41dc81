/** How long a message is on the wire, for brokers that say how long one may be. */

export interface Sized {
  readonly topic: string;
  readonly payloadBytes: number;
  readonly contentType: string;
  readonly userProperties: Readonly<Record<string, string>>;
}

/** Bytes of a PUBLISH packet of MQTT 5 with a packet id and these properties, and whether its payload is text. */
export function packetSize({ topic, payloadBytes, contentType, userProperties }: Sized): number {
  const user = Object.entries(userProperties).reduce((sum, [name, value]) => sum + 1 + textSize(name) + textSize(value), 0);
  // Payload format indicator, content type, user properties.
  const properties = 2 + 1 + textSize(contentType) + user;
  const rest = textSize(topic) + 2 + numberSize(properties) + properties + payloadBytes;
  return 1 + numberSize(rest) + rest;
}

const textSize = (text: string): number => 2 + Buffer.byteLength(text);

/** Seven bits a byte. */
function numberSize(number: number): number {
  if (number < 128) return 1;
  if (number < 16_384) return 2;
  return number < 2_097_152 ? 3 : 4;
}
