/** Connects to a camera: to the address that was checked, and over TLS to the camera that is meant. */
import { once } from 'node:events';
import { connect, isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { reach, type Bounds, type Place } from '../../lib/reach.ts';
import { faultOf, type Tls } from './certificate.ts';

export interface Caution {
  /** null: the address may lead anywhere. */
  readonly bounds: Bounds | null;
  readonly tls: Tls;
}

const OVER_TLS = /^(rtsps|https)$/;

/** Nothing is sent before it returns. Throws `forbidden_address`, `stream_connect`, or the system's own error. */
export async function dial(place: Place, { bounds, tls }: Caution, signal: AbortSignal): Promise<Socket> {
  const addresses = await reach(place, bounds, signal);
  const [{ address, family }] = addresses;
  const name = place.hostname.replace(/^\[|\]$|\.+$/g, '');
  const isName = isIP(name) === 0;
  const known: LookupFunction = (_name, options, done) => {
    if (options.all) done(null, [...addresses]);
    else done(null, address, family);
  };
  const to = { host: isName ? name : address, port: place.port, lookup: known, noDelay: true, keepAlive: true };
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
