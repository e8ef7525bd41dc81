/** Rules of events: as they are, and other ones until the restart. */
import { Router } from 'express';
import type { Face } from '../types.ts';
import { jsonFields, readBytes } from './body.ts';
import { route } from './route.ts';

export function ruleRoutes(face: Face): Router {
  const router = Router();
  router.use('/api/rules', readBytes);

  route(router, '/api/rules', {
    get: (_request, response) => { response.json({ rules: face.rules() }); },
  });

  route(router, '/api/rules/:name', {
    get: (request, response) => { response.json(face.rule(String(request.params['name']))); },
    patch: (request, response) => { response.json(face.changeRule(String(request.params['name']), jsonFields(request))); },
  });

  return router;
}
