/** Where a camera may send us on to. */
import { LookoutError } from '../../errors.ts';
import { shorten } from '../../lib/shorten.ts';
import { placeOf, type StreamPlace } from '../../words/stream-place.ts';

const MOST = 3;
/** That is told. */
const LONGEST_SCHEME = 30;

/** Of one conversation: the next place, without a login; `location`: characters that are bytes. Throws where nobody follows. */
export function createRedirects(hide: (text: string) => string): (location: string, from: StreamPlace) => StreamPlace {
  let followed = 0;
  return (location, from) => {
    const next = placeOf(Buffer.from(location, 'latin1').toString());
    followed += 1;
    if (followed > MOST) throw new LookoutError('stream_connect', `the camera sends us on and on: more than ${MOST} redirects`);
    if (!next || !/^rtsps?$/.test(next.scheme) || (from.scheme === 'rtsps' && next.scheme === 'rtsp')) {
      throw new LookoutError('forbidden_scheme', `the camera sends us on to ${next ? `an address of the scheme ${shorten(hide(next.scheme), LONGEST_SCHEME)}` : 'what is no RTSP address'}, which is not followed`);
    }
    return { ...next, login: '' };
  };
}
