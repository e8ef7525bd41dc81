/** What can be looked at: models, latest pictures, records, health. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Request, Router } from 'express';
import { LookoutError } from '../errors.ts';
import { createLimit } from '../lib/limit.ts';
import { linesLost } from '../lib/standard-streams.ts';
import type { Face, Json, RecordQuery } from '../types.ts';
import { MOST_PICTURES, MOST_RECORDS } from './openapi-schemas.ts';
import { pour, untilGone } from './pour.ts';
import { expectTime } from './read-time.ts';
import { route } from './route.ts';

/** Answers with pictures that are made at a time: each may have a hundred megabytes. */
const AT_ONCE = 4;
const PIECE_BYTES = 1 << 16;

export function queryRoutes(face: Face, version: string): Router {
  const router = Router();
  const fewAtOnce = createLimit(AT_ONCE);

  route(router, '/api/models', {
    get: async (_request, response) => {
      response.json({ models: await face.models(), default_models: face.defaults.models });
    },
  });

  route(router, '/api/models/:name/log', {
    get: async (request, response) => {
      response.json({ lines: await face.modelLog(String(request.params['name'])) });
    },
  });

  route(router, '/api/cameras/:camera_id/latest.jpg', {
    get: async (request, response) => {
      const cameraId = String(request.params['camera_id']);
      const { wake = 'true' } = request.query;
      if (wake !== 'true' && wake !== 'false') throw new LookoutError('bad_request', 'wake must be true or false.');
      const latest = wake === 'true' ? await face.picture(cameraId, untilGone(response)) : face.latest(cameraId);
      const jpeg = latest && (await face.readPicture(latest));
      if (!jpeg) throw new LookoutError('not_found', `No picture of camera "${cameraId}" yet; start its stream and wait for the first frame.`);
      const age = Math.max(0, Math.floor((Date.now() - Date.parse(latest.captured_at)) / 1000));
      response.set({ 'Cache-Control': 'no-store', 'X-Frame-Time': latest.captured_at, Age: String(age) }).type('jpeg').send(jpeg);
    },
  });

  route(router, '/api/records', {
    get: async (request, response) => {
      const query = readQuery(request);
      if (!query.pictures) {
        response.json({ records: await face.records(query) });
        return;
      }
      const gone = untilGone(response);
      await fewAtOnce(async () => {
        if (gone.aborted) return;
        const records = await face.records(query);
        // Base64 of pictures hardly becomes smaller, however long it is worked on.
        response.set('Cache-Control', 'no-transform').type('json');
        await pour(response, inPieces(records), gone);
      });
    },
  });

  route(router, '/api/records/:id/picture.jpg', {
    get: async (request, response) => {
      const id = String(request.params['id']);
      const frame = request.query['frame'];
      if (frame !== undefined && (typeof frame !== 'string' || !/^\d{1,3}$/.test(frame))) throw new LookoutError('bad_request', 'frame must be the index of a frame of the batch.');
      const jpeg = await face.recordPicture(id, frame === undefined ? null : Number(frame));
      if (jpeg === null) throw new LookoutError('not_found', `No picture of ${frame === undefined ? 'a record' : `frame ${frame} of a batch`} "${id}"; records keep their snapshot, and frames are kept where something was found (keep_frames), while there is room.`);
      // A batch is recorded once: what its picture is does not change any more.
      response.set('Cache-Control', 'private, max-age=86400, immutable').type('jpeg').send(Buffer.from(jpeg));
    },
  });

  route(router, '/api/records/schema.json', {
    get: (_request, response) => {
      response.json(face.recordSchema);
    },
  });

  route(router, '/healthz', {
    get: (_request, response) => {
      response.json({ status: 'ok', version, log_lines_lost: linesLost() });
    },
  });

  route(router, '/readyz', {
    get: async (_request, response) => {
      const parts = face.parts().map(({ part, reasons }) => ({ part, ready: reasons.length === 0, reasons }));
      const not_ready = parts.flatMap(({ reasons }) => reasons);
      const ready = not_ready.length === 0;
      response.status(ready ? 200 : 503).json({ status: ready ? 'ready' : 'not_ready', not_ready, parts, storage: await face.storage() });
    },
  });

  return router;
}

function readQuery({ query }: Request): RecordQuery {
  const text = (name: string): string | undefined => {
    const value = query[name];
    if (value === undefined || value === '') return undefined;
    if (typeof value !== 'string') throw new LookoutError('bad_request', `${name} may be given once only.`);
    return value;
  };
  const since = text('since');
  expectTime('since', since);
  const pictures = text('pictures') ?? 'false';
  if (!['true', 'false', '1', '0'].includes(pictures)) throw new LookoutError('bad_request', 'pictures must be true or false.');
  const withPictures = pictures === 'true' || pictures === '1';
  const most = withPictures ? MOST_PICTURES : MOST_RECORDS;
  const limit = text('limit') ?? '50';
  if (!/^\d{1,3}$/.test(limit) || Number(limit) < 1 || Number(limit) > most) {
    throw new LookoutError('bad_request', `limit must be a whole number from 1 to ${most}${withPictures ? ' with pictures' : ''}.`);
  }
  return { id: text('id'), camera_id: text('camera_id'), model: text('model'), since, limit: Number(limit), pictures: withPictures };
}

/** As one text it would keep everybody waiting while it is made; who takes it slowly takes one piece after the other. */
async function* inPieces(records: readonly Json[]): AsyncGenerator<Uint8Array, void, void> {
  yield Buffer.from('{"records":[');
  for (const [place, record] of records.entries()) {
    await nextTurn();
    const bytes = Buffer.from(`${place === 0 ? '' : ','}${JSON.stringify(record)}`);
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
  }
  yield Buffer.from(']}');
}
