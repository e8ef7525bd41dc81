/** Events: those that were, one of them and what somebody says of it, its picture, and each as it comes; and quiet for a while. */
import { type Request, type Response, Router } from 'express';
import { LookoutError } from '../errors.ts';
import type { EventItem, EventQuery, Face, ReviewedEvent, Verdict } from '../types.ts';
import { wantsClips } from '../words/event-rules.ts';
import { jsonFields, readBytes } from './body.ts';
import { checker } from './check.ts';
import { MOST_EVENTS, reviewRequest, silenceRequest, VERDICTS } from './openapi-schemas.ts';
import { untilGone } from './pour.ts';
import { readCameraId } from './read-start.ts';
import { expectTime } from './read-time.ts';
import { route } from './route.ts';
import { sendClip } from './send-clip.ts';
import { createSeats } from './seats.ts';

const MOST_LISTENERS = 100;
/** Proxies end what is silent. */
const BEAT_MS = 15_000;
/** Who takes nothing is not waited for. */
const MOST_WAITING_BYTES = 1_000_000;
const RESET = 'event: reset\ndata: {}\n\n';
const USUAL_SILENCE_SECONDS = 3600;

export function eventRoutes(face: Face): Router {
  const router = Router();
  const seats = createSeats(Infinity, MOST_LISTENERS);
  const checkSilence = checker(silenceRequest);
  const checkReview = checker(reviewRequest);
  router.use(['/api/events', '/api/silences'], readBytes);

  const existing = (request: Request): ReviewedEvent => {
    const id = String(request.params['id']);
    const event = face.event(id);
    if (!event) throw new LookoutError('not_found', `No event "${id}" among the newest; GET /api/events lists them, and data/events.ndjson has all.`);
    return event;
  };

  const mayGetClip = ({ state, rule, camera_id }: ReviewedEvent): boolean => {
    const own = face.rules().find(({ name }) => name === rule);
    return state !== 'ended' && own !== undefined && wantsClips(own, camera_id, face.stream(camera_id)?.options.clips ?? false);
  };

  route(router, '/api/events', {
    get: ({ query }, response) => {
      const events = face.events(readQuery(query));
      response.json({ events });
    },
  });

  route(router, '/api/events/stream', {
    get: async (request, response) => {
      const leave = seats.take('');
      try {
        response.set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store, no-transform', 'X-Accel-Buffering': 'no' });
        if (request.method === 'HEAD') response.end();
        else await stream(request, response);
      } finally {
        leave();
      }
    },
  });

  route(router, '/api/events/:id', {
    get: (request, response) => { response.json(existing(request)); },
    patch: async (request, response) => {
      const { id } = existing(request);
      const fields = jsonFields(request);
      checkReview(fields);
      response.json(await face.reviewEvent(id, fields));
    },
  });

  route(router, '/api/events/:id/picture.jpg', {
    get: async (request, response) => {
      const { id } = existing(request);
      const { boxes = 'false' } = request.query;
      if (boxes !== 'true' && boxes !== 'false') throw new LookoutError('bad_request', 'boxes must be true or false, and given once only.');
      const jpeg = await (boxes === 'true' ? face.eventDrawing(id, untilGone(response)) : face.eventPicture(id));
      if (!jpeg) throw new LookoutError('not_found', `The picture of the event "${id}" is not there any more; the oldest go when there are more than event_pictures_max_bytes, or when room is short.`);
      // While the event goes on a better one may come.
      response.set('Cache-Control', 'no-cache').type('jpeg').send(Buffer.from(jpeg));
    },
  });

  route(router, '/api/events/:id/clip.mp4', {
    get: (request, response, next) => {
      const event = existing(request);
      const { id, clip: named } = event;
      const clip = named && face.clip(named.id);
      if (clip) sendClip(clip, face.clipFile(clip.id), response, next);
      else if (named) throw new LookoutError('not_found', `The clip of the event "${id}" is not there any more; the oldest go when there are more than clips_max_bytes, or when room is short.`);
      else throw new LookoutError('not_found', `There is no clip of the event "${id}"${mayGetClip(event) ? ' yet' : '; the option clips of its rule or stream asks for one. One that was asked for could not be kept, as the log says, or has been let go'}.`);
    },
  });

  route(router, '/api/silences', {
    get: (_request, response) => { response.json({ silences: face.silences().map((one) => ({ ...one, from: timeOf(one.from), until: timeOf(one.until) })) }); },
    post: (request, response) => {
      const fields = jsonFields(request);
      checkSilence(fields);
      const { rule = null, seconds = USUAL_SILENCE_SECONDS } = fields as { readonly rule?: string | null; readonly seconds?: number };
      const camera_id = String(readCameraId(fields['camera_id'], 'camera_id'));
      if (rule !== null) face.rule(rule);
      const until = Date.now() + seconds * 1000;
      face.silence(camera_id, rule, until);
      response.json({ camera_id, rule, until: timeOf(until) });
    },
  });

  /** Server-sent events: what came since the one that the client names, and what comes. */
  async function stream(request: Request, response: Response): Promise<void> {
    const gone = untilGone(response);
    response.flushHeaders();
    const write = (text: string): void => {
      if (response.writableLength > MOST_WAITING_BYTES) response.destroy();
      else response.write(text);
    };
    const last = request.get('last-event-id');
    const missed = last === undefined ? '' : face.eventsSince(last)?.map(lineOf).join('') ?? RESET;
    // Whoever has been away for too long asks for the list.
    write(missed.length > MOST_WAITING_BYTES ? RESET : missed);
    const hush = face.onEvent((item) => { write(lineOf(item)); });
    const beat = setInterval(() => { write(': \n\n'); }, BEAT_MS);
    try {
      await new Promise<void>((resolve) => {
        if (gone.aborted) resolve();
        else gone.addEventListener('abort', () => { resolve(); }, { once: true });
      });
    } finally {
      hush();
      clearInterval(beat);
    }
  }

  return router;
}

function lineOf(item: EventItem): string {
  return `id: ${item.kind === 'event' ? `${item.id}/${item.sequence}` : item.id}\nevent: ${item.kind === 'event' ? item.state : item.kind}\ndata: ${JSON.stringify(item)}\n\n`;
}

const timeOf = (ms: number): string => new Date(ms).toISOString();

function readQuery(query: Request['query']): EventQuery {
  const text = (name: string): string | undefined => {
    const value = query[name];
    if (value !== undefined && typeof value !== 'string') throw new LookoutError('bad_request', `${name} may be given once only.`);
    return value;
  };
  const [limit = '50', alert, state, since, verdict] = [text('limit'), text('alert'), text('state'), text('since'), text('verdict')];
  if (!/^\d{1,3}$/.test(limit) || Number(limit) < 1 || Number(limit) > MOST_EVENTS) throw new LookoutError('bad_request', `limit must be a whole number from 1 to ${MOST_EVENTS}.`);
  if (alert !== undefined && alert !== 'true' && alert !== 'false') throw new LookoutError('bad_request', 'alert must be true or false.');
  if (state !== undefined && state !== 'open' && state !== 'ended') throw new LookoutError('bad_request', 'state must be open or ended.');
  if (verdict !== undefined && !isVerdict(verdict)) throw new LookoutError('bad_request', `verdict must be ${VERDICTS.join(', ')} or none.`);
  expectTime('since', since);
  return {
    camera_id: text('camera_id'), rule: text('rule'), class: text('class'), alert: alert === undefined ? undefined : alert === 'true', state, since, verdict, before: text('before'), limit: Number(limit),
  };
}

const isVerdict = (text: string): text is Verdict | 'none' => text === 'none' || VERDICTS.some((one) => one === text);
