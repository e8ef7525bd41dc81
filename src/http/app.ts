/** Puts the routes together, the guard before them and the error answers behind. */
import type { RequestListener } from 'node:http';
import express, { type Express } from 'express';
import { LookoutError } from '../errors.ts';
import type { Log } from '../lib/log.ts';
import type { Config, Face } from '../types.ts';
import { errors } from './answer.ts';
import { compress } from './compress.ts';
import { eventRoutes } from './events.ts';
import { followerRoutes } from './followers.ts';
import { guard } from './guard.ts';
import { legacyRoutes } from './legacy.ts';
import { metricRoutes } from './metrics.ts';
import { openApiDocument } from './openapi.ts';
import { pageRoutes } from './page.ts';
import { probeRoutes } from './probe.ts';
import { pushHandler } from './push.ts';
import { queryRoutes } from './queries.ts';
import { route } from './route.ts';
import { ruleRoutes } from './rules.ts';
import { streamRoutes } from './streams.ts';
import { videoRoutes } from './video.ts';
import { videostreamRoutes } from './videostream.ts';

export interface HttpOptions {
  readonly face: Face;
  readonly config: Pick<Config, 'host' | 'port' | 'token' | 'allowed_hosts' | 'project' | 'push_max_bytes' | 'camera_password' | 'push_camera_viewers'>;
  /** The folder of index.html. */
  readonly staticDir: string;
  readonly log: Log;
  readonly version: string;
}

export function createHttpApp(options: HttpOptions): RequestListener {
  // Cameras have keys of their own.
  const push = pushHandler(options.face, options.config, options.log);
  const app = createRoutes(options);
  return (request, response) => { if (!push(request, response)) app(request, response); };
}

function createRoutes({ face, config, staticDir, log, version }: HttpOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  const document = openApiDocument(version, face.recordSchema, face.pushCamera !== null);
  app.use((request, _response, next) => {
    // A reverse proxy whose path lacks its last slash leaves one too many.
    request.url = request.url.replace(/^\/{2,}/, '/');
    next();
  });
  if (face.pushCamera) app.use(videostreamRoutes(face.pushCamera, config, log));
  app.use(guard(config, log));
  // Before answers are compressed: its clients get what they always got, byte for byte.
  app.use(legacyRoutes(face, log));
  app.use(compress(() => !face.isDiskSilent));
  app.use(queryRoutes(face, version));
  app.use(metricRoutes(face, version));
  app.use(streamRoutes(face));
  app.use(videoRoutes(face));
  app.use(probeRoutes(face));
  app.use(eventRoutes(face));
  app.use(ruleRoutes(face));
  app.use(followerRoutes(face));
  route(app, '/openapi.json', { get: (_request, response) => { response.json(document); } });
  app.use(pageRoutes(face, staticDir, config.project, log));
  app.use((request) => {
    throw new LookoutError('not_found', `Nothing is at ${request.path}; /docs lists what there is.`);
  });
  app.use(errors(log));
  return app;
}
