/** Looks at a camera before it is started. */
import { Router } from 'express';
import type { Face, Json } from '../types.ts';
import { jsonFields, readBytes } from './body.ts';
import { checker } from './check.ts';
import { probeRequest } from './openapi-schemas.ts';
import { untilGone } from './pour.ts';
import { readOptions, readUrl } from './read-start.ts';
import { route } from './route.ts';
import { createSeats } from './seats.ts';

/** Each has a process of its own for some seconds. */
const MOST_AT_ONCE = 4;

export function probeRoutes(face: Face): Router {
  const router = Router();
  const check = checker(probeRequest);
  const seats = createSeats(MOST_AT_ONCE, MOST_AT_ONCE);
  router.use('/api/probe', readBytes);

  route(router, '/api/probe', {
    post: async (request, response) => {
      const fields = jsonFields(request);
      check(fields);
      const url = readUrl(fields['rtsp_url'], 'rtsp_url');
      const asked = { url, options: readOptions(fields, url) };
      const leave = seats.take('');
      const signal = untilGone(response);
      try {
        const { jpeg, ...facts } = await face.probe(asked, signal);
        response.set('Cache-Control', 'no-store, no-transform').json({ ...facts, frame_base64: jpeg && Buffer.from(jpeg).toString('base64') } satisfies Json);
      } catch (error) {
        if (!signal.aborted) throw error;
      } finally {
        leave();
      }
    },
  });

  return router;
}
