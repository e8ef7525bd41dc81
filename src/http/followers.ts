/** Those who follow the logs: how they do, and what may be asked of them. How they are set up stands in lookout.yaml alone. */
import { Router } from 'express';
import { LookoutError } from '../errors.ts';
import type { Face } from '../types.ts';
import { jsonFields, readBytes } from './body.ts';
import { untilGone } from './pour.ts';
import { route } from './route.ts';

export function followerRoutes(face: Face): Router {
  const router = Router();
  router.use('/api/followers', readBytes);

  route(router, '/api/followers', {
    get: async (_request, response) => { response.json({ followers: await face.followers() }); },
  });

  route(router, '/api/followers/:name/test', {
    post: async (request, response) => { response.json({ reached: await face.testFollower(String(request.params['name']), untilGone(response)) }); },
  });

  route(router, '/api/followers/:name/rewind', {
    post: async (request, response) => {
      const { to } = jsonFields(request);
      if (typeof to !== 'string') throw new LookoutError('bad_request', '"to" must be now, beginning, or a time such as 2026-01-31T12:00:00Z.');
      await face.rewindFollower(String(request.params['name']), to);
      response.json({ status: 'rewound' });
    },
  });

  route(router, '/api/followers/:name/retry', {
    post: async (request, response) => { response.json({ taken: await face.retryFollower(String(request.params['name'])) }); },
  });

  return router;
}
