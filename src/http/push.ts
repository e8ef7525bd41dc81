/** Where cameras bring their pictures, each with a key of its own: before the guard that asks for the token. */
import { type Request, type RequestHandler, type Response, Router } from 'express';
import { errorInfo, LookoutError } from '../errors.ts';
import type { Log } from '../lib/log.ts';
import type { Config, Face, Json } from '../types.ts';
import { isCameraId } from '../words/camera-id.ts';
import { errors } from './answer.ts';
import { SAFE_HEADERS } from './guard.ts';
import { createPictureBodies } from './picture-body.ts';
import { readCaptureTime, readFindings } from './push-headers.ts';
import { route } from './route.ts';
import { addressOf, createTries } from './tries.ts';

const PATH = '/api/cameras/:camera_id/frames';

export function pushRoutes(face: Face, { push_max_bytes }: Pick<Config, 'push_max_bytes'>, log: Log): Router {
  const router = Router();
  const tries = createTries(log, undefined, 'camera key');
  const withPicture = createPictureBodies(push_max_bytes);

  async function isRight(cameraId: string, key: string): Promise<boolean> {
    return face.isCameraKey(cameraId, key).catch((error: unknown) => {
      // Who asks may be anybody, and is not told why.
      if (errorInfo(error).code === 'file_unreadable') log.repeated('error', 'the key of a camera cannot be read', cameraId, { reason: errorInfo((error as Error).cause).message });
      throw error;
    });
  }

  async function checkKey(request: Request, response: Response, cameraId: string): Promise<void> {
    const key = keyIn(request);
    const verdict = key === null ? 'wrong' : tries.judge(addressOf(request), isCameraId(cameraId) && await isRight(cameraId, key));
    if (verdict === 'right') return;
    if (verdict === 'wrong') {
      response.set('WWW-Authenticate', 'Bearer realm="camera"');
      throw new LookoutError('unauthorized', 'Send the camera\'s key as X-Camera-Auth, or as a Bearer; `lookout cameras key <id>` makes one.');
    }
    response.set('Retry-After', String(verdict));
    throw new LookoutError('too_many_tries', `Too many wrong keys came from your address; try again in ${verdict} s.`);
  }

  const push: RequestHandler = async (request, response) => {
    const cameraId = String(request.params['camera_id']);
    await checkKey(request, response, cameraId);
    // Before its bytes are read.
    face.expectTakesPush(cameraId);
    const { captured_at, note } = readCaptureTime(request.get('x-captured-at'), Date.now());
    if (note !== null) log.repeated('warn', 'a camera\'s clock is wrong', cameraId, { reason: note });
    const findings = readFindings(request.headersDistinct['x-finding'] ?? []);
    const outcome = await withPicture(request, (bytes) => face.push(cameraId, { bytes, captured_at, findings }));
    const answer = JSON.stringify({ camera_id: cameraId, captured_at, taken: outcome === 'taken', note } satisfies Json);
    // Express would make an ETag of each.
    response.writeHead(202, { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': Buffer.byteLength(answer) }).end(answer);
  };

  router.use(PATH, (_request, response, next) => {
    response.set(SAFE_HEADERS);
    next();
  });
  route(router, PATH, { post: push });
  router.use(PATH, errors(log));
  return router;
}

/** null: none was sent. */
function keyIn(request: Request): string | null {
  const [scheme = '', bearer = ''] = (request.get('authorization') ?? '').split(/ +/, 2);
  return request.get('x-camera-auth') ?? (scheme.toLowerCase() === 'bearer' ? bearer : null);
}
