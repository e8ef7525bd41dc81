/** Texts in settings that follow rules of their own: how each is checked and what it must be, in words. */
import { validate as isCron } from 'node-cron';

import { isHostOrNetwork } from '../lib/reach.ts';
import { isCameraId } from '../words/camera-id.ts';
import { isRuleName } from '../words/event-rules.ts';
import { isStreamUrl, STREAM_URL_IN_WORDS } from '../words/stream-url.ts';
import { isLogPlace } from '../words/time.ts';
import { followerTypes } from './followers.ts';
import { isTimeZone } from './time-zone.ts';

interface TextFormat {
  readonly validate: (text: string) => boolean;
  readonly words: string;
}

export const FORMATS: Readonly<Record<string, TextFormat>> = {
  'camera-id': {
    validate: isCameraId,
    words: 'must have 1 to 128 characters without control characters, / and \\, and not be . or ..',
  },
  'stream-url': {
    validate: isStreamUrl,
    words: `${STREAM_URL_IN_WORDS}, or file: and a path`,
  },
  scheme: {
    validate: (text) => /^[a-z][a-z0-9+.-]*$/.test(text),
    words: 'must be a URL scheme in small letters, such as rtsp',
  },
  'host-or-network': {
    validate: isHostOrNetwork,
    words: 'must be a host name, an address, or a network such as 10.0.0.0/8',
  },
  token: {
    validate: (text) => /^[!-~]*$/.test(text),
    words: 'must be of visible ASCII characters without blanks: a header cannot carry others',
  },
  cron: {
    // node-cron takes a sixth field, of seconds, in front: minutes are what a stream's hours are made of.
    validate: (text) => isCron(text) && text.trim().split(/\s+/).length === 5,
    words: 'must be a cron expression of minutes, in five fields without seconds, such as "* 8-17 * * 1-5"',
  },
  'follower-name': {
    validate: (text) => /^[a-z0-9][a-z0-9_-]{0,63}$/.test(text),
    words: 'must be a name of small letters, digits, - and _, such as control-room',
  },
  'follower-type': {
    validate: (text) => followerTypes().includes(text),
    words: `must be one of ${followerTypes().join(', ')}`,
  },
  'log-place': {
    validate: isLogPlace,
    words: 'must be now, beginning, or a time such as 2026-01-31T12:00:00Z',
  },
  'rule-name': {
    validate: isRuleName,
    words: 'must have 1 to 64 characters: small letters, digits, - and _, the first of them no - or _',
  },
  'time-zone': {
    validate: (text) => text === 'system' || isTimeZone(text),
    words: 'must be an IANA time zone such as Europe/Berlin, or system',
  },
};
