/** Cameras to watch: live video, their pictures one after the other, and clips. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Request, type Response, Router } from 'express';
import { LookoutError } from '../errors.ts';
import { readIfPresent } from '../lib/files.ts';
import type { Clip, ClipRequest, Face, LatestPicture } from '../types.ts';
import { isPush } from '../words/push.ts';
import { isAway, isOn } from '../words/stream-state.ts';
import { jsonFields, readBytes } from './body.ts';
import { checker } from './check.ts';
import { clipRequest, MOST_CLIPS } from './openapi-schemas.ts';
import { pour, untilGone } from './pour.ts';
import { sendClip } from './send-clip.ts';
import { route } from './route.ts';
import { createSeats } from './seats.ts';
import { toRoot } from './to-root.ts';

const BOUNDARY = 'picture';
/** How often it is looked for a new one: a camera gives ten a second at the most. */
const LOOK_MS = 50;
const LOOKS_PER_CHECK = 20;
/** Seconds before and after the request, where nothing else is asked for. */
const USUAL: ClipRequest = { before_seconds: 5, after_seconds: 5 };

/** Reads a picture, as a part of an answer of several, once for all who ask for it within the time of a look. null: it is gone. */
function createParts(): (picture: LatestPicture) => Promise<Buffer | null> {
  const lately = new Map<string, Promise<Buffer | null>>();
  return ({ file, captured_at }) => {
    const known = lately.get(`${captured_at} ${file}`);
    if (known) return known;
    const part = readIfPresent(file).then((jpeg) => jpeg && Buffer.concat([Buffer.from(`--${BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: ${jpeg.length}\r\nX-Frame-Time: ${captured_at}\r\n\r\n`), jpeg, Buffer.from('\r\n')]));
    lately.set(`${captured_at} ${file}`, part);
    setTimeout(() => { lately.delete(`${captured_at} ${file}`); }, 2 * LOOK_MS);
    return part;
  };
}

export function videoRoutes(face: Face): Router {
  const router = Router();
  const seats = createSeats(8, 64);
  const checkClip = checker(clipRequest);
  const partOf = createParts();

  function mayBeWatched(cameraId: string): boolean {
    const stream = face.stream(cameraId);
    return stream !== null && isOn(stream);
  }

  function expectOn(cameraId: string): void {
    if (!mayBeWatched(cameraId)) throw new LookoutError('not_found', `Camera "${cameraId}" is not being captured; start its stream.`);
  }

  /** Why nobody is to take its newest picture for what is seen now; null: it is that, or a new one is to come. */
  function whyOld(cameraId: string): LookoutError | null {
    const stream = face.stream(cameraId);
    // One that pushes may do so when there is something to show.
    if (!stream || !isAway(stream) || isPush(stream.url)) return null;
    const { late_after_seconds, reason } = stream;
    const latest = face.latest(cameraId);
    const age = latest && (Date.now() - Date.parse(latest.captured_at)) / 1000;
    if (age !== null && age <= late_after_seconds) return null;
    const newest = age === null ? 'there is none' : `its newest is ${Math.round(age)} s old (latest.jpg shows it)`;
    return new LookoutError('stream_ended', `camera '${cameraId}' gives no picture, and ${newest}: ${reason}`);
  }

  /** `head`: what can be said before anything comes. */
  async function show(request: Request, response: Response, head: Readonly<Record<string, string>>, open: (cameraId: string, signal: AbortSignal) => Promise<AsyncIterable<Uint8Array>>): Promise<void> {
    const cameraId = String(request.params['camera_id']);
    expectOn(cameraId);
    const leave = seats.take(cameraId);
    const signal = untilGone(response);
    try {
      const isHead = request.method === 'HEAD';
      const chunks = isHead ? null : await open(cameraId, signal);
      // A proxy is not to wait for all of it.
      response.set({ ...head, 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' });
      response.flushHeaders();
      if (chunks) await pour(response, chunks, signal);
      else response.end();
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      leave();
    }
  }

  /** Each once, as a part of an answer that replaces the one before. Who has it open sees it go on when the camera is back: no page asks again by itself. */
  async function* picturesOf(cameraId: string, signal: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
    let shown = '';
    for (let look = 0; !signal.aborted; look += 1) {
      if (look % LOOKS_PER_CHECK === 0 && !mayBeWatched(cameraId)) return;
      const latest = face.latest(cameraId);
      const part = latest && latest.captured_at !== shown ? await partOf(latest) : null;
      if (latest && part) {
        shown = latest.captured_at;
        yield part;
      }
      await sleep(LOOK_MS);
    }
  }

  route(router, '/api/cameras/:camera_id/live.mp4', {
    get: (request, response) => show(request, response, { 'Content-Type': 'video/mp4' }, (id, signal) => face.live(id, signal)),
  });

  route(router, '/api/cameras/:camera_id/stream.mjpeg', {
    get: (request, response) => show(request, response, { 'Content-Type': `multipart/x-mixed-replace; boundary=${BOUNDARY}` }, async (id, signal) => {
      await face.picture(id, signal);
      const old = whyOld(id);
      if (old) throw old;
      return picturesOf(id, signal);
    }),
  });

  router.use('/api/cameras/:camera_id/clips', readBytes);
  route(router, '/api/cameras/:camera_id/clips', {
    post: async (request, response) => {
      const cameraId = String(request.params['camera_id']);
      const fields = jsonFields(request);
      checkClip(fields);
      expectOn(cameraId);
      if (face.stream(cameraId)?.capturing !== true) throw new LookoutError('not_found', `Camera "${cameraId}" is asleep: nothing is captured that a clip could hold. Ask for its live video or its picture first.`);
      const leave = seats.take(cameraId);
      try {
        const clip = await face.makeClip(cameraId, { ...USUAL, ...fields });
        response.status(201).location(`${toRoot(request)}api/clips/${encodeURIComponent(clip.id)}`).json(clip);
      } finally {
        leave();
      }
    },
  });

  route(router, '/api/clips', {
    get: ({ query: { camera_id, limit = '50' } }, response) => {
      if (camera_id !== undefined && typeof camera_id !== 'string') throw new LookoutError('bad_request', 'camera_id may be given once only.');
      if (typeof limit !== 'string' || !/^\d{1,3}$/.test(limit) || Number(limit) < 1 || Number(limit) > MOST_CLIPS) throw new LookoutError('bad_request', `limit must be a whole number from 1 to ${MOST_CLIPS}.`);
      response.json({ clips: face.clips({ camera_id, limit: Number(limit) }) });
    },
  });

  const existing = (request: Request): Clip => {
    const id = String(request.params['id']);
    const clip = face.clip(id);
    if (!clip) throw new LookoutError('not_found', `No clip "${id}"; GET /api/clips lists them. The oldest go when there are more than clips_max_bytes, or when room is short.`);
    return clip;
  };

  route(router, '/api/clips/:id', {
    get: (request, response) => { response.json(existing(request)); },
    delete: async (request, response) => {
      const { id } = existing(request);
      await face.removeClip(id);
      response.json({ id, status: 'removed' });
    },
  });

  route(router, '/api/clips/:id/clip.mp4', {
    get: (request, response, next) => {
      const clip = existing(request);
      sendClip(clip, face.clipFile(clip.id), response, next);
    },
  });

  return router;
}
