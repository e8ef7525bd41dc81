/** Where the address of a stream leads: read as ffmpeg reads it, for which people write what they write. */
import { domainToASCII } from 'node:url';
import { LookoutError } from '../errors.ts';

export interface StreamPlace {
  /** In small letters. */
  readonly scheme: string;
  /** `user:password`, as written; empty: none. */
  readonly login: string;
  /** With its brackets, if it has some. */
  readonly hostname: string;
  readonly port: number;
  /** From the first `/`, `?` or `#` on. */
  readonly path: string;
}

const PORTS: Readonly<Record<string, number>> = { rtsp: 554, rtsps: 322, http: 80, https: 443, rtmp: 1935, rtmps: 443 };

/** The address without its login, as ffmpeg writes it, with the port: for a request's line, which it cannot end. */
export function uriOf({ scheme, hostname, port, path }: StreamPlace): string {
  const host = /^[!-~]*$/.test(hostname) ? hostname : domainToASCII(hostname);
  return escaped(Buffer.from(`${scheme}://${host || hostname}:${port}${path}`).toString('latin1'));
}

/** Of a text whose characters are bytes, those that no URI may hold are percent-encoded. */
export function escaped(bytes: string): string {
  return bytes.replace(/[^!-~]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}

/** null: nowhere in the network, or written so that nobody can tell. */
export function placeOf(url: string): StreamPlace | null {
  const [, scheme = '', login = '', hostname, port = '', path = ''] = /^([a-z][a-z0-9+.-]*):\/\/(?:([^/?#]*)@)?(\[[^\]/?#]*\]|[^/?#:@[\]]*)(?::(\d*))?((?:[/?#].*)?)$/i.exec(url) ?? [];
  if (hostname === undefined || hostname === '' || Number(port) > 65_535) return null;
  return { scheme: scheme.toLowerCase(), login, hostname, port: Number(port) || (PORTS[scheme.toLowerCase()] ?? 0), path };
}

/** Throws `stream_connect` where nobody can tell; not with the address itself, which may hold a password. */
export function expectPlace(url: string): StreamPlace {
  const place = placeOf(url);
  if (!place) throw new LookoutError('stream_connect', 'the camera\'s address is no URL; a /, ?, # or @ in a password is written %2F, %3F, %23 or %40');
  return place;
}
