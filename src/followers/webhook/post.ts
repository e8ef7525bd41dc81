/** POSTs to one address over kept connections. Failures are our errors and tell no secret. */
import { Agent, request as requestHttp, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { Agent as TlsAgent, request as requestHttps } from 'node:https';
import { LookoutError } from '../../errors.ts';
import { untilAborted } from '../../lib/abort.ts';
import { beginningOf } from '../../lib/answer-beginning.ts';
import { hasCode } from '../../lib/files.ts';
import { linked } from '../../lib/linked.ts';
import { FINDING } from '../../lib/names.ts';
import { shorten } from '../../lib/shorten.ts';
import type { Address } from './address.ts';
import type { Answer } from './answer.ts';
import { redirected } from './redirect.ts';
import { unreachable } from './unreachable.ts';

export interface Poster {
  /** To an address of that origin. Any answer but redirects; `headers` are made for each try. Throws `target_away`, and when the signal aborts. */
  post(to: URL, body: Uint8Array, headers: () => OutgoingHttpHeaders, signal: AbortSignal): Promise<Answer>;
  close(): void;
}

/** Of a second: a picture takes its time on a slow line. */
const SLOWEST_BYTES = 50_000;
/** Of what is told of where a target sends us. */
const LONGEST_WORDS = 300;

export function createPoster({ origin, authorization }: Pick<Address, 'origin' | 'authorization'>, timeoutSeconds: number, hide: (text: string) => string): Poster {
  const how = { keepAlive: true, maxSockets: 1, ...FINDING };
  const [plain, tls] = [new Agent(how), new TlsAgent(how)];

  function send(target: URL, body: Uint8Array, headers: () => OutgoingHttpHeaders, signal: AbortSignal): Promise<IncomingMessage> {
    const options = {
      method: 'POST', signal,
      headers: { ...(authorization !== null && { authorization }), ...headers(), 'content-length': body.length },
    };
    return new Promise((resolve, reject) => {
      // Whatever the environment says of certificates in general.
      const request = target.protocol === 'https:' ? requestHttps(target, { ...options, agent: tls, rejectUnauthorized: true }) : requestHttp(target, { ...options, agent: plain });
      request.on('response', (response) => {
        // Answered before it had all, the target may never read the rest: the next one would wait for that.
        response.once('close', () => { if (!request.writableFinished) request.destroy(); });
        resolve(response);
      });
      request.on('upgrade', (response, socket) => {
        socket.destroy();
        resolve(response);
      });
      request.on('error', (error) => {
        // The target closed the kept connection just as we asked: it has not heard us.
        if (request.reusedSocket && hasCode(error, 'ECONNRESET', 'EPIPE') && !signal.aborted) resolve(send(target, body, headers, signal));
        else reject(error);
      });
      request.end(body);
    });
  }

  async function follow(to: URL, body: Uint8Array, headers: () => OutgoingHttpHeaders, signal: AbortSignal): Promise<Answer> {
    let target = to;
    for (let followed = 0; ; followed += 1) {
      const response = await send(target, body, headers, signal);
      const { statusCode: status = 0, headers: { location } } = response;
      const text = await beginningOf(response);
      if (status < 300 || status >= 400) return { status, headers: response.headers, text };
      const next = redirected(target, status, location, followed);
      if (typeof next === 'string') throw new LookoutError('target_away', `${origin} does not take messages: ${shorten(hide(next), LONGEST_WORDS)}`);
      target = next;
    }
  }

  return {
    async post(to, body, headers, signal) {
      signal.throwIfAborted();
      const link = linked(signal);
      const seconds = timeoutSeconds + Math.floor(body.length / SLOWEST_BYTES);
      const late = new LookoutError('target_away', `${origin} gave no answer within ${seconds} s`);
      const timer = setTimeout(() => { link.abort(late); }, seconds * 1000);
      try {
        // A request that waits for its connection does not hear that it is given up.
        return await untilAborted(follow(to, body, headers, link.signal), link.signal);
      } catch (error) {
        if (link.signal.aborted) throw link.signal.reason;
        throw error instanceof LookoutError ? error : unreachable(origin, error, hide);
      } finally {
        clearTimeout(timer);
        link.release();
      }
    },
    close() {
      plain.destroy();
      tls.destroy();
    },
  };
}
