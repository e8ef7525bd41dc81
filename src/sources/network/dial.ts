/** Connects to a camera: to the address that was checked, and over TLS to the camera that is meant. */
import { once } from 'node:events';
import { connect, isIP, type LookupFunction, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { LookoutError } from '../../errors.ts';
import { ATTEMPT_MS } from '../../lib/names.ts';
import { reach, type Bounds, type Place } from '../../lib/reach.ts';
import { shorten } from '../../lib/shorten.ts';
import { wordsOf } from '../../lib/words-of.ts';
import { faultOf, type Tls } from './certificate.ts';

export interface Caution {
  /** null: the address may lead anywhere. */
  readonly bounds: Bounds | null;
  readonly tls: Tls;
  /** How it is read, if otherwise than by the socket's data. */
  readonly onread?: OnReadOpts;
}

/** Of a failure: a camera may name a host, or itself, at any length. */
const LONGEST_WORDS = 600;
const OVER_TLS = /^(rtsps|https|rtmps)$/;

/** Nothing is sent before it returns. Throws `forbidden_address`, `stream_connect`, or the system's own error. */
export async function dial(place: Place, { bounds, tls, onread }: Caution, signal: AbortSignal): Promise<Socket> {
  const addresses = await reach(place, bounds, signal);
  const [{ address, family }] = addresses;
  const name = place.hostname.replace(/^\[|\]$|\.+$/g, '');
  const isName = isIP(name) === 0;
  const known: LookupFunction = (_name, options, done) => {
    if (options.all) done(null, [...addresses]);
    else done(null, address, family);
  };
  const to = { host: isName ? name : address, port: place.port, lookup: known, noDelay: true, keepAlive: true, autoSelectFamilyAttemptTimeout: ATTEMPT_MS, ...(onread && { onread }) };
  const secure = OVER_TLS.test(place.scheme) ? connectTls({ ...to, servername: isName ? name : '', rejectUnauthorized: false }) : null;
  const socket = secure ?? connect(to);
  try {
    await once(socket, secure ? 'secureConnect' : 'connect', { signal });
    const fault = secure && faultOf(secure, tls);
    if (fault) throw new Error(fault);
    return socket;
  } catch (error) {
    // Whoever breaks off hears no more of it.
    socket.on('error', () => undefined).destroy();
    throw error;
  }
}

/** As `dial`, with every failure but an abort as one of our errors; `hide` takes the address's secrets out of its words. */
export async function dialInWords(place: Place, caution: Caution, hide: (text: string) => string, signal: AbortSignal): Promise<Socket> {
  try {
    return await dial(place, caution, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof LookoutError) throw new LookoutError(error.code, shorten(hide(error.message), LONGEST_WORDS), { cause: error });
    throw new LookoutError('stream_connect', `the camera could not be reached: ${shorten(hide(wordsOf(error)), LONGEST_WORDS)}`, { cause: error });
  }
}
