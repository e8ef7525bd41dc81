/**
 * Where cameras bring their pictures, each with a key of its own: before the guard that asks for the token, and without
 * Express, which gives each request and response other prototypes, so that whatever is done with them takes longer.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorInfo, LookoutError } from '../errors.ts';
import type { Log } from '../lib/log.ts';
import type { Config, Face } from '../types.ts';
import { isCameraId } from '../words/camera-id.ts';
import { sendError, sendJson } from './answer.ts';
import { SAFE_HEADERS } from './guard.ts';
import { header } from './header.ts';
import { createPictureBodies } from './picture-body.ts';
import { readCaptureTime, readFindings } from './push-headers.ts';
import { addressOf, createTries } from './tries.ts';

/** As clients may write it: with the server before it, with a slash too many, in capitals. */
const PATH = /^(?:https?:\/\/[^/?#]+)?\/+api\/cameras\/([^/?#]+)\/frames\/?(?:[?#]|$)/i;
const ALLOW = 'POST, OPTIONS';
const HEADERS = new Map(Object.entries(SAFE_HEADERS));

/** `false`: the request is for somebody else. */
export type PushHandler = (request: IncomingMessage, response: ServerResponse) => boolean;

export function pushHandler(face: Face, { push_max_bytes }: Pick<Config, 'push_max_bytes'>, log: Log): PushHandler {
  const tries = createTries(log, undefined, 'camera key');
  const withPicture = createPictureBodies(push_max_bytes);

  async function isRight(cameraId: string, key: string): Promise<boolean> {
    return face.isCameraKey(cameraId, key).catch((error: unknown) => {
      // Who asks may be anybody, and is not told why.
      if (errorInfo(error).code === 'file_unreadable') log.repeated('error', 'the key of a camera cannot be read', cameraId, { reason: errorInfo((error as Error).cause).message });
      throw error;
    });
  }

  async function checkKey(request: IncomingMessage, response: ServerResponse, cameraId: string): Promise<void> {
    const key = keyIn(request);
    const verdict = key === null ? 'wrong' : tries.judge(addressOf(request), isCameraId(cameraId) && await isRight(cameraId, key));
    if (verdict === 'right') return;
    if (verdict === 'wrong') {
      response.setHeader('WWW-Authenticate', 'Bearer realm="camera"');
      throw new LookoutError('unauthorized', 'Send the camera\'s key as X-Camera-Auth, or as a Bearer; `lookout cameras key <id>` makes one.');
    }
    response.setHeader('Retry-After', String(verdict));
    throw new LookoutError('too_many_tries', `Too many wrong keys came from your address; try again in ${verdict} s.`);
  }

  async function push(request: IncomingMessage, response: ServerResponse, cameraId: string): Promise<void> {
    await checkKey(request, response, cameraId);
    // Before its bytes are read.
    face.expectTakesPush(cameraId);
    const { captured_at, note } = readCaptureTime(header(request, 'x-captured-at'), Date.now());
    if (note !== null) log.repeated('warn', 'a camera\'s clock is wrong', cameraId, { reason: note });
    const findings = header(request, 'x-finding') === undefined ? [] : readFindings(request.headersDistinct['x-finding'] ?? []);
    const outcome = await withPicture(request, (bytes) => face.push(cameraId, { bytes, captured_at, findings }));
    sendJson(response, 202, { camera_id: cameraId, captured_at, taken: outcome === 'taken', note });
  }

  async function answer(request: IncomingMessage, response: ServerResponse, cameraId: string): Promise<void> {
    response.setHeaders(HEADERS);
    if (request.method === 'POST') {
      await push(request, response, decoded(cameraId));
      return;
    }
    response.setHeader('Allow', ALLOW);
    if (request.method !== 'OPTIONS') throw new LookoutError('method_not_allowed', `A camera's pictures are sent with POST, not with ${String(request.method)}.`);
    response.end();
  }

  return (request, response) => {
    const [, cameraId] = PATH.exec(request.url ?? '') ?? [];
    if (cameraId === undefined) return false;
    answer(request, response, cameraId).catch((error: unknown) => { sendError(log, error, request, response); });
    return true;
  };
}

function decoded(cameraId: string): string {
  try {
    return decodeURIComponent(cameraId);
  } catch (error) {
    throw new LookoutError('bad_request', `"${cameraId}" is not percent-encoded UTF-8: a % is %25.`, { cause: error });
  }
}

/** null: none was sent. */
function keyIn(request: IncomingMessage): string | null {
  const [scheme = '', bearer = ''] = (header(request, 'authorization') ?? '').split(/ +/, 2);
  return header(request, 'x-camera-auth') ?? (scheme.toLowerCase() === 'bearer' ? bearer : null);
}
