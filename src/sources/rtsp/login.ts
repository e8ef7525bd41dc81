/** To whom the login of a camera's address is told, and how. */
import { LookoutError } from '../../errors.ts';
import { headersOf, type Message } from '../../lib/rtsp-messages.ts';
import type { StreamPlace } from '../../words/stream-place.ts';
import { answerTo, credentialsOf, unanswerable, type Authorize } from '../network/authentication.ts';

export interface Login {
  /** Credentials are for the place that they were written for, or for that same host once it asks for TLS. */
  trusts(target: StreamPlace): boolean;
  /** How to answer these challenges there; or why in no way. */
  answer(challenges: string, target: StreamPlace): Authorize | LookoutError;
}

/** Throws `stream_auth` where the login can be none. */
export function createLogin(first: StreamPlace, hide: (text: string) => string): Login {
  const credentials = credentialsIn(first.login);
  const trusts = (target: StreamPlace): boolean => target.hostname.toLowerCase() === first.hostname.toLowerCase()
    && ((target.port === first.port && target.scheme === first.scheme) || (target.scheme === 'rtsps' && first.scheme === 'rtsp'));
  return {
    trusts,
    answer(challenges, target) {
      if (!credentials) return new LookoutError('stream_auth', 'the camera wants a user name and password, which its address does not have (user:password@ before its host)');
      if (!trusts(target)) return new LookoutError('stream_auth', `the camera sends us on to ${target.scheme}://${target.hostname}:${target.port}, which wants a login; the one of the camera's address is for ${hide(first.hostname)} alone: write the other address with its own`);
      return answerTo(challenges, credentials) ?? unanswerable(challenges, hide);
    },
  };
}

/** Those of a 401. */
export const challengesOf = (answer: Message): string => headersOf(answer, 'www-authenticate').join(', ');

/** Those of `user:password`, as it stands before an address's host. Throws `stream_auth` where the login can be none. */
export function credentialsIn(login: string): ReturnType<typeof credentialsOf> {
  const [user = '', ...password] = login.split(':');
  return credentialsOf(user, password.join(':'));
}
