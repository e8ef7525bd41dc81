/** GETs from one camera: credentials, redirects, a kept connection. Failures are our errors and tell no secret. */
import { setMaxListeners } from 'node:events';
import { Agent, get as getHttp, STATUS_CODES, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { Agent as TlsAgent, get as getHttps } from 'node:https';
import type { Socket } from 'node:net';
import { LookoutError } from '../../errors.ts';
import { beginningOf } from '../../lib/answer-beginning.ts';
import { hasCode } from '../../lib/files.ts';
import { hiderOf } from '../../lib/secrets.ts';
import { shorten } from '../../lib/shorten.ts';
import { wordsOf } from '../../lib/words-of.ts';
import { answerTo, credentialsOf, unanswerable, type Authorize, type Credentials } from '../network/authentication.ts';
import { dial, type Caution } from '../network/dial.ts';

export interface CameraClient {
  /** The answer's head, once it says that a body follows. `more`: headers of this request. */
  get(signal: AbortSignal, more?: OutgoingHttpHeaders): Promise<IncomingMessage>;
  /** Breaks off whatever is under way. */
  close(): void;
}

/** Takes the address's secrets out of what is said of it, and leaves the beginning. */
type Hide = (text: string) => string;

const MOST_REDIRECTS = 5;
/** Of what a camera says, or names, that is told of it. */
const LONGEST_WORDS = 600;

export function createClient(url: string, caution: Caution): CameraClient {
  const { address, credentials } = readUrl(url);
  const secret = hiderOf(url);
  const hide = (text: string): string => shorten(secret(text), LONGEST_WORDS);
  const life = new AbortController();
  const [plain, tls] = [dialling(new Agent({ keepAlive: true }), 'http'), dialling(new TlsAgent({ keepAlive: true }), 'https')];
  let authorize: Authorize | null = null;

  /** Credentials are for the place that they were written for, or for that same host once it asks for TLS. */
  const trusted = (target: URL): boolean =>
    target.origin === address.origin || (target.hostname === address.hostname && address.protocol === 'http:' && target.protocol === 'https:');

  /** Connects where it may, and to whom is meant. */
  function dialling(agent: Agent, scheme: string): Agent {
    Object.assign(agent, {
      createConnection({ host = '', port }: { readonly host?: string; readonly port: number | string }, done: (error: unknown, socket?: Socket) => void) {
        dial({ scheme, hostname: host, port: Number(port) }, caution, life.signal).then((socket) => { done(null, socket); }, done);
      },
    });
    return agent;
  }

  function send(target: URL, signal: AbortSignal, more: OutgoingHttpHeaders = {}): Promise<IncomingMessage> {
    const authorization = trusted(target) ? authorize?.('GET', target.pathname + target.search) : undefined;
    const headers = {
      'accept': 'multipart/x-mixed-replace, image/jpeg, image/png, */*;q=0.1',
      'user-agent': 'Lookout',
      ...more,
      ...(authorization !== undefined && { authorization }),
    };
    return new Promise((resolve, reject) => {
      // Cameras end lines as they like.
      const options = { headers, signal, insecureHTTPParser: true };
      const request = target.protocol === 'https:' ? getHttps(target, { ...options, agent: tls }) : getHttp(target, { ...options, agent: plain });
      let answered = false;
      request.on('response', (response) => {
        answered = true;
        resolve(response);
      });
      request.on('error', (error) => {
        // The camera closed the kept connection just as we asked: it has not heard us.
        if (!answered && request.reusedSocket && hasCode(error, 'ECONNRESET', 'EPIPE') && !signal.aborted) resolve(send(target, signal, more));
        else reject(signal.aborted ? signal.reason as Error : unreachable(target, error, hide));
      });
    });
  }

  return {
    async get(signal, more) {
      // However many answers are being broken off, each listens only until it is gone.
      setMaxListeners(0, signal);
      let target = address;
      let challenged = false;
      let redirects = 0;
      for (;;) {
        const response = await send(target, signal, more);
        const { statusCode: status = 0, headers } = response;
        if (status >= 200 && status < 300) return response;
        void beginningOf(response);
        if (status === 401 && !challenged && credentials && trusted(target)) {
          challenged = true;
          const challenges = headers['www-authenticate'] ?? '';
          authorize = answerTo(challenges, credentials);
          if (!authorize) throw unanswerable(challenges, hide);
          continue;
        }
        if (status < 300 || status >= 400 || headers.location === undefined) throw refusal(hide(target.origin), status, trusted(target) ? credentials : 'not told');
        redirects += 1;
        if (redirects > MOST_REDIRECTS) throw new LookoutError('stream_connect', `${hide(address.origin)} sends us on and on: more than ${MOST_REDIRECTS} redirects`);
        target = redirected(target, headers.location, hide);
      }
    },
    close() {
      life.abort();
      plain.destroy();
      tls.destroy();
    },
  };
}

/** From HTTP to HTTPS, but never back: whoever wrote https wants nobody to look on. */
function redirected(from: URL, location: string, hide: Hide): URL {
  const target = URL.canParse(location, from.href) ? new URL(location, from.href) : null;
  if (target?.protocol !== from.protocol && target?.protocol !== 'https:') {
    throw new LookoutError('forbidden_scheme', `${hide(from.origin)} sends us on to an address of the scheme ${hide(target?.protocol ?? '(none)')}, which is not followed`);
  }
  target.username = '';
  target.password = '';
  return target;
}

/** The URL without its credentials, for they belong into one header only. */
function readUrl(url: string): { readonly address: URL; readonly credentials: Credentials | null } {
  // Not the address itself: it may hold a password.
  if (!URL.canParse(url)) throw new LookoutError('bad_request', 'the camera\'s address is no URL; a /, ?, # or @ in a password is written %2F, %3F, %23 or %40');
  const address = new URL(url);
  const credentials = credentialsOf(address.username, address.password);
  address.username = '';
  address.password = '';
  return { address, credentials };
}

function refusal(origin: string, status: number, login: Credentials | null | 'not told'): LookoutError {
  const answer = `it answered ${status} ${STATUS_CODES[status] ?? ''}`.trim();
  if (status === 401 || status === 403) {
    const why = login === null ? 'wants a user name and password, which the URL does not have (user:password@ before its host)'
      : login === 'not told' ? 'to which the camera sends us on, wants a login; the one of the camera\'s address is not for it: write that address with its own' : 'refuses the user name or password';
    return new LookoutError('stream_auth', `${origin} ${why}: ${answer}`);
  }
  if (status === 404 || status === 410) return new LookoutError('stream_not_found', `${origin} does not know this path: ${answer}`);
  return new LookoutError('stream_connect', `${origin} gives no picture: ${answer}`);
}

function unreachable(target: URL, error: Error, hide: Hide): LookoutError {
  const reason = hide(wordsOf(error));
  if (error instanceof LookoutError) return new LookoutError(error.code, reason, { cause: error });
  return new LookoutError('stream_connect', `${hide(target.origin)} could not be reached: ${reason}`, { cause: error });
}
