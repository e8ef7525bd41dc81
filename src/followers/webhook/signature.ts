/** Signatures as Standard Webhooks has them: HMAC-SHA256 of the id, the time and the body. */
import { createHmac } from 'node:crypto';

interface Secrets {
  readonly secret: string | null;
  readonly old_secret: string | null;
}

const FEWEST_BYTES = 16;
const PREFIX = 'whsec_';

/** The new one first. */
export function keysOf({ secret, old_secret }: Secrets): readonly Buffer[] {
  return [secret, old_secret].filter((one) => one !== null).map(keyOf);
}

/** A signature for each key, with blanks between them: the receiver goes by any that it knows. */
export function signatureOf(keys: readonly Buffer[], id: string, timestamp: string, body: Uint8Array): string {
  return keys.map((key) => `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')}`).join(' ');
}

export function secretFault(secrets: Secrets): string | null {
  if (secrets.secret === null && secrets.old_secret !== null) return 'old_secret is for a change of secret, which is not set';
  for (const name of ['secret', 'old_secret'] as const) {
    const text = secrets[name];
    if (text === null) continue;
    if (text.startsWith(PREFIX) && !/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/.test(text.slice(PREFIX.length))) return `${name} must be base64 after ${PREFIX}`;
    if (keyOf(text).length < FEWEST_BYTES) return `${name} must have ${FEWEST_BYTES} bytes or more`;
  }
  return null;
}

function keyOf(text: string): Buffer {
  return text.startsWith(PREFIX) ? Buffer.from(text.slice(PREFIX.length), 'base64') : Buffer.from(text);
}
