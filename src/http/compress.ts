/** Answers in fewer bytes where the client takes them so: text, as a whole. Pictures are as small as they get, also in base64. */
import compression from 'compression';
import type { RequestHandler } from 'express';

const TEXT = /^(?:application\/(?:\w+\+)?json|text\/(?:html|css|javascript)|image\/svg\+xml)\b/;

/**
 * A part of a file, by Range, is counted in the file's own bytes. What must stay as it is says `no-transform`. `hasThreads`:
 * those that compress are those that wait for the disk, which is not always to be waited for.
 */
export function compress(hasThreads: () => boolean): RequestHandler {
  return compression({ filter: (request, response) => request.headers.range === undefined && TEXT.test(String(response.getHeader('Content-Type'))) && hasThreads() });
}
