/** Streams as resources: list, look at, change, stop, remove. */
import { Router } from 'express';
import { LookoutError } from '../errors.ts';
import type { Face, StreamChange, StreamStatus } from '../types.ts';
import { mayLackModels } from '../words/stream-options.ts';
import { jsonFields, readBytes } from './body.ts';
import { checker } from './check.ts';
import { streamChange } from './openapi-schemas.ts';
import { readCameraId, readUrl } from './read-start.ts';
import { route } from './route.ts';
import { createStreamChanges } from './stream-changes.ts';

export function streamRoutes(face: Face): Router {
  const router = Router();
  const checkChange = checker(streamChange);
  const changes = createStreamChanges();
  router.use(['/stop_stream', '/api/streams'], readBytes);

  const existing = (cameraId: string): StreamStatus => {
    const stream = face.stream(cameraId);
    if (stream === null) throw new LookoutError('not_found', `No stream of camera "${cameraId}"; GET /api/streams lists them.`);
    return stream;
  };

  route(router, '/stop_stream', {
    post: async (request, response) => {
      const camera_id = readCameraId(jsonFields(request)['camera_id'], 'camera_id');
      response.json({ camera_id, status: await face.stop(camera_id) });
    },
  });

  route(router, '/api/streams', {
    get: ({ query: { since } }, response) => {
      if (since !== undefined && typeof since !== 'string') throw new LookoutError('bad_request', 'since may be given once only.');
      response.json({ ...changes(face.streams(), since), books: face.books(), not_ready: face.notReady() });
    },
  });

  route(router, '/api/streams/:camera_id', {
    get: (request, response) => {
      response.json(existing(String(request.params['camera_id'])));
    },
    patch: async (request, response) => {
      const cameraId = String(request.params['camera_id']);
      const stream = existing(cameraId);
      const fields = jsonFields(request);
      checkChange(fields);
      const change = fields as StreamChange;
      if (change.models?.length === 0 && !mayLackModels(change.url ?? stream.url, { ...stream.options, ...change.options })) throw new LookoutError('bad_request', 'models must NOT have fewer than 1 items, unless the stream is on demand or the camera pushes (push:).');
      response.json(await face.change(cameraId, change.url === undefined ? change : { ...change, url: readUrl(change.url, 'url') }));
    },
    delete: async (request, response) => {
      const cameraId = String(request.params['camera_id']);
      const { camera_id } = existing(cameraId);
      await face.remove(cameraId);
      response.json({ camera_id, status: 'removed' });
    },
  });

  return router;
}
