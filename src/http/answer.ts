/** How answers are written: the Flask orchestrator's JSON byte for byte on its routes, plain JSON with a code elsewhere. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ErrorRequestHandler, Response } from 'express';
import { errorInfo, LookoutError } from '../errors.ts';
import type { Log } from '../lib/log.ts';
import { hideCredentials } from '../lib/secrets.ts';
import { shorten } from '../lib/shorten.ts';
import { asOfDisk } from '../lib/transient.ts';
import type { Json } from '../types.ts';
import { isCameraId } from '../words/camera-id.ts';

/** As Flask writes JSON in debug mode: keys sorted, two spaces, ASCII only, a newline at the end; never credentials, and camera ids as they are. */
export function sendLegacy(response: Response, status: number, body: Json): void {
  // As bytes and by setHeader: Express would add a charset that Flask did not send.
  response.status(status).setHeader('Content-Type', 'application/json');
  response.send(Buffer.from(legacyJson(body)));
}

export function legacyJson(body: Json): string {
  const text = JSON.stringify(written(body), null, 2).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `${text}\n`;
}

/** The last handler of the Flask orchestrator's routes: `{"error"}`, and a page for a wrong method. */
export function legacyErrors(log: Log): ErrorRequestHandler {
  return (thrown, request, response, next) => {
    if (response.headersSent) { next(thrown); return; }
    const error = asLookoutError(thrown);
    if (error.code === 'method_not_allowed') {
      response.status(405).type('html').send('<!doctype html>\n<title>405</title>\n<p>This method is not allowed here.</p>\n');
      return;
    }
    report(log, error, request.path);
    sendLegacy(response, error.status, { error: saying(error) });
  };
}

/** The last handler of all other routes: `{"error", "code"}`. */
export function errors(log: Log): ErrorRequestHandler {
  // Express knows it by its four parameters.
  return (thrown, request, response, _next) => { sendError(log, thrown, request, response); };
}

export function sendError(log: Log, thrown: unknown, { url = '' }: IncomingMessage, response: ServerResponse): void {
  // What was done for a client that has left was stopped with that: nobody hears of it.
  if (response.destroyed && thrown instanceof Error && thrown.name === 'AbortError') return;
  const error = asLookoutError(thrown);
  report(log, error, url.replace(/\?.*/s, ''));
  // An answer that was begun is cut off, so that nobody takes it for whole.
  if (response.headersSent) response.destroy();
  else sendJson(response, error.status, { error: saying(error), code: error.code });
}

/** Not by Express, which would make an ETag of it, and look for its type. */
export function sendJson(response: ServerResponse, status: number, body: Json): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': Buffer.byteLength(text) }).end(text);
}

/** What an error says, for an answer: never credentials, and never all of what was sent. */
export function saying({ message }: Error): string {
  // Cut before as well: looking for credentials takes its time in a text of any length.
  return shorten(hideCredentials(shorten(message, 4000)), 2000);
}

/** A value as it was sent, or the beginning of its text where that is longer. */
export function echoOf(value: Json, most = 200): Json {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length <= most ? value : saying(new Error(shorten(text, most)));
}

export function asLookoutError(thrown: unknown): LookoutError {
  const known = asOfDisk(thrown);
  if (known instanceof LookoutError) return known;
  const status = thrown instanceof Error && 'status' in thrown ? thrown.status : 500;
  const { message } = errorInfo(thrown);
  // Express and its body readers put the status of a client's mistake on the error.
  if (status === 413) return new LookoutError('too_large', 'The body is larger than 1 MB; send less.', { cause: thrown });
  if (typeof status === 'number' && status >= 400 && status < 500) return new LookoutError('bad_request', message, { cause: thrown });
  return new LookoutError('internal', message, { cause: thrown });
}

/** Our own faults are logged; a client's are only answered. */
export function report(log: Log, error: LookoutError, path: string): void {
  if (error.code !== 'internal') return;
  const stack = error.cause instanceof Error ? error.cause.stack : error.stack;
  log.error('a request failed', { path, error: error.message, stack });
}

function written(value: Json, name = ''): Json {
  if (isList(value)) return value.map((item) => written(item));
  if (typeof value === 'string') return ID_NAMES.includes(name) && isCameraId(value) ? value : hideCredentials(value);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, written(item, key)]));
}

/** An id may look like a password, but never be an address. */
const ID_NAMES = ['camera_id', 'cameraID'];

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);
