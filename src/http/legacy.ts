/** The Flask orchestrator's routes with its codes and bodies, all three generations: its clients keep working. */
import { Router } from 'express';
import { LookoutError } from '../errors.ts';
import type { Log } from '../lib/log.ts';
import type { Face, Json } from '../types.ts';
import { isOn } from '../words/stream-state.ts';
import { asLookoutError, echoOf, legacyErrors, report, saying, sendLegacy } from './answer.ts';
import { type Fields, lenientFields, objectOf, readBytes, truthy } from './body.ts';
import { readCamera } from './read-camera.ts';
import { modelsOf, readCameraId, readStart } from './read-start.ts';
import { route } from './route.ts';

export function legacyRoutes(face: Face, log: Log): Router {
  const router = Router();
  router.use(['/start_stream', '/start_streams', '/api/cameras'], readBytes);

  /** Where the camera runs, only its id is looked at: clients ask again and again to keep it running. */
  const start = async (fields: Fields, shared?: Fields): Promise<{ camera_id: string | number; status: 'started' | 'already_running' }> => {
    const camera_id = readCameraId(fields['camera_id'], 'camera_id');
    const known = face.stream(String(camera_id));
    return { camera_id, status: known && isOn(known) ? 'already_running' : await face.start(readStart(fields, shared)) };
  };

  route(router, '/start_stream', {
    post: async (request, response) => {
      const fields = lenientFields(request);
      if (!truthy(fields['rtsp_url']) || !truthy(fields['camera_id'])) {
        throw new LookoutError('bad_request', "Missing 'rtsp_url' or 'camera_id'");
      }
      const { camera_id, status } = await start(fields);
      sendLegacy(response, 200, status === 'started' ? { camera_id, model_name: modelName(fields, face), status } : { camera_id, status });
    },
  });

  route(router, '/start_streams', {
    post: async (request, response) => {
      const fields = lenientFields(request);
      const streams = fields['streams'];
      if (!Array.isArray(streams) || streams.length === 0) {
        throw new LookoutError('bad_request', "Missing or invalid 'streams' array");
      }
      // All of them first: a bad element must not leave half of the list running.
      const elements = streams.map((element: Json, index) => objectOf(element, `Element ${index} of 'streams'`));
      const results: Json[] = [];
      for (const element of elements) results.push(await startOne(element, fields));
      sendLegacy(response, 200, { model_name: modelName(fields, face), results });
    },
  });

  const startOne = async (fields: Fields, shared: Fields): Promise<Json> => {
    const sent = fields['camera_id'];
    if (!truthy(fields['rtsp_url']) || !truthy(sent)) {
      return { camera_id: echoOf(sent ?? null), message: 'Missing rtsp_url or camera_id', status: 'error' };
    }
    const shown = echoOf(sent);
    const camera_id = typeof shown === 'string' ? shown : JSON.stringify(shown);
    try {
      const { status } = await start(fields, shared);
      return { camera_id, status };
    } catch (thrown) {
      const error = asLookoutError(thrown);
      report(log, error, '/start_streams');
      return { camera_id, message: saying(error), status: 'error' };
    }
  };

  route(router, '/api/cameras', {
    get: async (_request, response) => {
      const cameras = await face.cameras();
      sendLegacy(response, 200, { cameras: cameras.map(({ cameraID, latitude, longitude }) => ({ cameraID, latitude, longitude })) });
    },
    post: async (request, response) => {
      const camera = readCamera(lenientFields(request));
      await face.addCamera(camera);
      sendLegacy(response, 200, { cameraID: camera.cameraID, status: 'added' });
    },
  });

  router.use(legacyErrors(log));
  return router;
}

/** Characters of all the names that a stream may have. */
const LONGEST_NAMES = 5000;

/** As sent, if that can be names; else one name, as old clients expect: the third generation named the first of its three models only. */
function modelName(fields: Fields, { defaults }: Face): Json {
  const sent = modelsOf(fields);
  if (truthy(sent) || Array.isArray(sent)) {
    const shown = echoOf(sent, LONGEST_NAMES);
    return areNames(shown) ? shown : JSON.stringify(shown);
  }
  const [first = 'animals', ...others] = defaults.models;
  return others.length === 0 || defaults.record_format === 'v3' ? first : defaults.models;
}

/** Whether it is one name or several, known or not. */
const areNames = (value: Json): boolean => [value].flat().every((name) => typeof name === 'string');
