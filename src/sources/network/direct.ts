/** ffmpeg's own way, for what nobody else speaks: its address is checked, and it is ffmpeg that opens it. */
import { LookoutError } from '../../errors.ts';
import { reach, type Bounds } from '../../lib/reach.ts';
import type { StreamSpec } from '../../types.ts';
import { placeOf } from '../../words/stream-place.ts';
import type { OpenPassage } from './passage.ts';

/** Throws `forbidden_address` and `stream_connect`. */
export function openDirectly({ url, trusted, options: { tls } }: StreamSpec, bounds: Bounds): OpenPassage {
  return async (signal) => {
    const place = placeOf(url);
    if (place?.scheme === 'rtmps') refuseFingerprint(tls);
    const as = (opened: string): Awaited<ReturnType<OpenPassage>> => ({ url: opened, failure: () => null, close: () => Promise.resolve() });
    if (trusted || !place) return as(url);
    const [{ address, family }] = await reach(place, bounds, signal);
    // SRT tells nobody the name, which could mean another address the next time.
    return as(place.scheme === 'srt' ? `srt://${family === 6 ? `[${address}]` : address}:${place.port}${place.path}` : url);
  };
}

/** ffmpeg knows certificates by who signed them alone. */
export function refuseFingerprint(tls: string): void {
  if (tls.startsWith('sha256:')) throw new LookoutError('bad_request', 'tls: sha256:… is for https and rtsps; playlists and rtmps are opened by ffmpeg, with verify or off');
}
