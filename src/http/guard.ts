/** Who may ask: the Host and Origin of the request are ours, no page elsewhere has it made, the token is known, and answers carry safe headers. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import type { Request, RequestHandler, Response } from 'express';
import { LookoutError } from '../errors.ts';
import type { Log } from '../lib/log.ts';
import type { Config } from '../types.ts';
import { addressOf, createTries } from './tries.ts';

export type GuardConfig = Pick<Config, 'host' | 'token' | 'allowed_hosts'>;

export const SAFE_HEADERS = {
  'Content-Security-Policy': "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
};

export function guard({ host, token, allowed_hosts }: GuardConfig, log: Log): RequestHandler {
  const checkToken = tokenCheck(token, log);
  const names = new Set(['localhost', hostname(), bracketed(host), ...allowed_hosts].map((name) => name.toLowerCase()));
  return (request, response, next) => {
    response.set(SAFE_HEADERS);
    const asked = (request.get('host') ?? '').toLowerCase();
    if (asked === '' && request.httpVersion === '1.1') throw new LookoutError('bad_request', 'HTTP/1.1 asks for a Host.');
    if (token === null && !isOurs(asked, names)) {
      throw new LookoutError('forbidden_origin', `Host "${asked}" is not one of this server's; add it to allowed_hosts if it is meant.`);
    }
    const origin = request.get('origin');
    if (origin !== undefined && !sameHost(origin, asked)) {
      throw new LookoutError('forbidden_origin', `A page of "${origin}" may not ask here; open the page that "${asked}" serves. A reverse proxy must pass the Host on as the browser sent it, with its port.`);
    }
    if (isMadeElsewhere(request)) {
      throw new LookoutError('forbidden_origin', `Pages of other sites may link to "${asked}", and show nothing of it in themselves.`);
    }
    if (request.path !== '/healthz') checkToken(request, response);
    next();
  };
}

/** Throws unless the request has the token, if there is one. */
export function tokenCheck(token: string | null, log: Log): (request: Request, response: Response) => void {
  const isRight = token === null ? null : matcher(token);
  const tries = createTries(log);
  return (request, response) => {
    if (isRight === null) return;
    const sent = tokenIn(request);
    const verdict = sent === null ? 'wrong' : tries.judge(addressOf(request), isRight(sent));
    if (verdict === 'wrong') {
      response.set('WWW-Authenticate', 'Basic realm="Lookout", charset="UTF-8"');
      throw new LookoutError('unauthorized', 'Send the token: Authorization: Bearer <token>, or as the password of HTTP Basic.');
    }
    if (verdict !== 'right') {
      response.set('Retry-After', String(verdict));
      throw new LookoutError('too_many_tries', `Too many wrong tokens came from your address; try again in ${verdict} s.`);
    }
  };
}

/** By a page of another site that shows pictures or video of ours in itself, which names no Origin; browsers say so on loopback and over TLS. Somebody may follow a link from there. */
function isMadeElsewhere(request: Request): boolean {
  const isFollowed = request.get('sec-fetch-mode') === 'navigate' && request.get('sec-fetch-dest') === 'document' && request.get('sec-purpose') === undefined;
  return /^(cross|same)-site$/.test(request.get('sec-fetch-site') ?? '') && !isFollowed;
}

export const bracketed = (host: string): string => (host.includes(':') && !host.startsWith('[') ? `[${host}]` : host);

/** Whether `url` (an Origin or a Referer) names the host that was asked. */
export function sameHost(url: string, asked: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, host } = new URL(url);
  // Through URL: it leaves out the port that the protocol implies.
  const here = `${protocol}//${asked}`;
  return host !== '' && URL.canParse(here) && new URL(here).host === host;
}

/** A page elsewhere can point a name of its own at this server, but not an address: names are answered that we know. */
function isOurs(asked: string, names: ReadonlySet<string>): boolean {
  const [, name] = /^(\[[^\]]+\]|[^:]+)(?::\d+)?$/.exec(asked) ?? [];
  return name !== undefined && (isIP(name.replace(/^\[|\]$/g, '')) !== 0 || names.has(name) || names.has(asked));
}

/** null: none was sent. */
function tokenIn(request: Request): string | null {
  const [scheme = '', value = ''] = (request.get('authorization') ?? '').split(/ +/, 2);
  if (scheme.toLowerCase() === 'bearer') return value;
  if (scheme.toLowerCase() !== 'basic') return null;
  const login = Buffer.from(value, 'base64').toString();
  return login.slice(login.indexOf(':') + 1);
}

/** Takes as long whatever differs: hashes are of one length, and timingSafeEqual never stops early. */
export function matcher(token: string): (sent: string) => boolean {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
  const wanted = hash(token);
  return (sent) => timingSafeEqual(hash(sent), wanted);
}
