/** The way of what ffmpeg alone speaks: where it leads is checked, and nobody asks again what a name means. */
import { LookoutError } from '../../errors.ts';
import { reach, type Bounds } from '../../lib/reach.ts';
import { hiderOf } from '../../lib/secrets.ts';
import type { StreamSpec } from '../../types.ts';
import { expectPlace, uriOf, type StreamPlace } from '../../words/stream-place.ts';
import type { OpenPassage, Passage } from './passage.ts';
import { openTunnel } from './tunnel.ts';

/** Throws `forbidden_address` and `stream_connect`. */
export function openDirectly({ url, trusted, options: { tls } }: StreamSpec, bounds: Bounds): OpenPassage {
  return async (signal) => {
    // Of ffmpeg's own TLS nobody knows the certificate, and it tells a server that is known by its address no name.
    if (trusted && !/^rtmps:/i.test(url)) return as(url);
    // It leads nowhere: who sends comes to a port of this machine.
    if (/^(udp|srt):\/\/@?:/i.test(url)) return as(url);
    const place = expectPlace(url);
    if (!/^rtmps?$/.test(place.scheme)) {
      const [{ address, family }] = await reach(place, bounds, signal);
      return as(`${place.scheme}://${family === 6 ? `[${address}]` : address}:${place.port}${place.path}`);
    }
    const tunnel = await openTunnel(place, { bounds: trusted ? null : bounds, tls }, hiderOf(url), signal);
    const login = place.login === '' ? '' : `${place.login}@`;
    return { ...as(`rtmp://${login}127.0.0.1:${tunnel.port}${place.path}`), tcUrl: uriOf({ ...place, path: applicationOf(place) }), close: () => tunnel.close() };
  };
}

function as(url: string): Passage {
  return { url, failure: () => null, close: () => Promise.resolve() };
}

/** What of the path is not the stream's own name, as ffmpeg reads it: an application, perhaps with an instance. */
function applicationOf({ path }: StreamPlace): string {
  return /^\/(?:ondemand(?=\/)|[^/]*\/[^/:]*(?=\/)|[^/]*)/.exec(path)?.[0] ?? '/';
}

/** ffmpeg knows certificates by who signed them alone. */
export function refuseFingerprint(tls: string): void {
  if (tls.startsWith('sha256:')) throw new LookoutError('bad_request', 'tls: sha256:… is not for playlists: ffmpeg opens what they name, with verify or off');
}
