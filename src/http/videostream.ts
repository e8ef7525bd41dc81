/** The push-frame server's routes with its codes, bodies and headers: its cameras and those who watch keep working. Before the guard, with one of their own. */
import express, { type ErrorRequestHandler, type Request, type RequestHandler, type Response, Router } from 'express';
import { LookoutError } from '../errors.ts';
import { parsedJson } from '../lib/json-line.ts';
import type { Log } from '../lib/log.ts';
import { isObject } from '../lib/objects.ts';
import type { Config, Json, PushCamera } from '../types.ts';
import { asLookoutError, report, saying } from './answer.ts';
import { matcher, tokenCheck } from './guard.ts';
import { createPictureBodies } from './picture-body.ts';
import { pour, untilGone } from './pour.ts';
import { createSeats } from './seats.ts';
import { addressOf, createTries } from './tries.ts';

type Settings = Pick<Config, 'token' | 'camera_password' | 'push_camera_viewers' | 'push_max_bytes'>;

const MOST_VIEWERS = 200;
/** Text of a form, which is no picture. */
const FORM = /^(application\/x-www-form-urlencoded|multipart\/form-data)\b/i;
const HTML = 'text/html; charset=utf-8';

export function videostreamRoutes(camera: PushCamera, { token, camera_password, push_camera_viewers, push_max_bytes }: Settings, log: Log): Router {
  const router = Router();
  const isPassword = matcher(camera_password ?? '');
  const tries = createTries(log, undefined, 'camera password');
  const checkToken = tokenCheck(push_camera_viewers === 'open' ? null : token, log);
  const withPicture = createPictureBodies(push_max_bytes);
  const seats = createSeats(MOST_VIEWERS, MOST_VIEWERS);
  const readJson = express.raw({ type: ['application/json', 'application/*+json'], limit: '1mb' });

  function checkPassword(request: Request, response: Response, sent: unknown): void {
    const given = typeof sent === 'string' && camera_password !== null ? sent : null;
    const verdict = given === null ? 'wrong' : tries.judge(addressOf(request), isPassword(given));
    if (verdict === 'right') return;
    if (verdict === 'wrong') throw new LookoutError('unauthorized', 'Unauthorized');
    response.set('Retry-After', String(verdict));
    throw new LookoutError('too_many_tries', `Too many wrong passwords came from your address; try again in ${verdict} s.`);
  }

  /** Shows what everybody may see, or who sends the token. */
  const shown = (handler: RequestHandler): RequestHandler => (request, response, next) => {
    checkToken(request, response);
    return handler(request, response, next);
  };

  const serve = (path: string, method: 'GET' | 'POST', handler: RequestHandler): void => {
    const allow = method === 'GET' ? 'GET, HEAD, OPTIONS' : 'OPTIONS, POST';
    router.all(path, async (request, response, next) => {
      allowOtherSites(request, response);
      if (request.method === 'OPTIONS') {
        response.setHeader('Allow', allow);
        sendText(response, 200, '');
      } else if (request.method === method || (request.method === 'HEAD' && method === 'GET')) {
        await handler(request, response, next);
      } else {
        response.setHeader('Allow', allow);
        sendPage(response, 405, 'Method Not Allowed', 'The method is not allowed for the requested URL.');
      }
    });
  };

  /** Browsers get Lookout's page, which asks for the token. Who names HTML and is none, such as Java, would only be turned away. */
  function wantsPage(request: Request): boolean {
    if (!(request.get('accept') ?? '').includes('text/html')) return false;
    const mayPass = token === null || request.get('authorization') !== undefined;
    return mayPass || /^Mozilla\//.test(request.get('user-agent') ?? '');
  }

  router.get('/', (request, _response, next) => {
    if (wantsPage(request)) next('router');
    else next();
  });
  // Of health checks, which have no token; it shows nothing of the camera.
  serve('/', 'GET', (_request, response) => { sendText(response, 200, 'Video Streaming Server is running'); });

  serve('/stream', 'GET', shown(async (request, response) => {
    const leave = seats.take('');
    const signal = untilGone(response);
    try {
      const parts = camera.watch(signal);
      response.writeHead(200, { 'Content-Type': 'multipart/x-mixed-replace; boundary=frame', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' });
      if (request.method === 'HEAD') response.end();
      else await pour(response, parts, signal);
    } finally {
      leave();
    }
  }));

  serve('/api/frame', 'GET', shown((_request, response) => {
    const jpeg = camera.latest();
    if (jpeg) send(response, 200, 'image/jpeg', jpeg, { 'Cache-Control': 'no-store' });
    else sendText(response, 503, 'No frame available');
  }));

  serve('/api/status', 'GET', shown((_request, response) => {
    const { last_frame_time, ...status } = camera.status();
    const server_time = Date.now() / 1000;
    sendJson(response, { frame_age_seconds: last_frame_time === 0 ? null : Math.max(0, server_time - last_frame_time), last_frame_time, ...status, server_time });
  }));

  serve('/api/oil_spill_events', 'GET', shown((_request, response) => { sendJson(response, camera.events().map((event) => ({ ...event }))); }));

  serve('/api/detection_summary', 'GET', shown((_request, response) => {
    const { oil_spill_detected, oil_spill_events } = camera.status();
    sendJson(response, {
      current_status: oil_spill_detected ? 'ALERT: Oil spill detected' : 'Normal: No oil spill detected',
      last_detection: camera.events().at(-1)?.datetime ?? null, total_events: oil_spill_events,
    });
  }));

  serve('/api/upload_frame', 'POST', async (request, response) => {
    checkPassword(request, response, request.get('x-camera-auth'));
    const isSpill = request.get('x-oil-spill-detected') === 'true';
    const outcome = await withPicture(request, (bytes) => (FORM.test(request.get('content-type') ?? '') ? Promise.resolve('no_picture') : camera.upload(bytes, isSpill)));
    if (outcome === 'received') sendText(response, 200, 'Frame received');
    else sendText(response, 400, 'Invalid image data');
  });

  for (const [path, isActive, status] of [['/api/start_stream', true, 'Stream started'], ['/api/stop_stream', false, 'Stream stopped']] as const) {
    router.post(path, readJson);
    serve(path, 'POST', async (request, response) => {
      const bytes: unknown = request.body;
      if (!Buffer.isBuffer(bytes)) {
        sendPage(response, 415, 'Unsupported Media Type', 'Did not attempt to load JSON data because the request Content-Type was not &#39;application/json&#39;.');
        return;
      }
      const sent = parsedJson(bytes.toString('utf8'));
      if (!isObject(sent)) {
        sendPage(response, 400, 'Bad Request', 'The browser (or proxy) sent a request that this server could not understand.');
        return;
      }
      checkPassword(request, response, sent['password']);
      await camera.setActive(isActive);
      sendJson(response, { status });
    });
  }

  router.use(videostreamErrors(log));
  return router;
}

/** Pages of any site may show it. */
function allowOtherSites(request: Request, response: Response): void {
  const origin = request.get('origin');
  response.setHeader('Access-Control-Allow-Origin', origin ?? '*');
  if (origin !== undefined) response.setHeader('Vary', 'Origin');
  response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  if (request.method !== 'OPTIONS' || request.get('access-control-request-method') === undefined) return;
  response.setHeader('Access-Control-Allow-Methods', 'DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT');
  const asked = request.get('access-control-request-headers');
  if (asked !== undefined) response.setHeader('Access-Control-Allow-Headers', asked);
}

function videostreamErrors(log: Log): ErrorRequestHandler {
  return (thrown, request, response, next) => {
    if (response.headersSent) { next(thrown); return; }
    const error = asLookoutError(thrown);
    report(log, error, request.path);
    const { code, status } = error;
    if (code === 'unauthorized') sendText(response, 401, 'Unauthorized');
    else if (code === 'too_large') sendPage(response, 413, 'Request Entity Too Large', 'The data value transmitted exceeds the capacity limit.');
    else if (code === 'not_running') sendText(response, 503, 'No active stream');
    else if (code === 'bad_request' && request.path === '/api/upload_frame') sendText(response, 400, 'Invalid image data');
    else sendText(response, status, `Error: ${escaped(saying(error))}`);
  };
}

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

function sendPage(response: Response, status: number, title: string, text: string): void {
  sendText(response, status, `<!doctype html>\n<html lang=en>\n<title>${status} ${title}</title>\n<h1>${title}</h1>\n<p>${text}</p>\n`);
}

function sendText(response: Response, status: number, text: string): void {
  send(response, status, HTML, Buffer.from(text));
}

/** With its keys sorted, without blanks, and a line end behind it. */
function sendJson(response: Response, body: Json): void {
  const keys = (_key: string, value: unknown): unknown => (isObject(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value);
  send(response, 200, 'application/json', Buffer.from(`${JSON.stringify(body, keys)}\n`));
}

/** As bytes, and not by Express, which would add a charset and an ETag of its own. */
function send(response: Response, status: number, type: string, body: Uint8Array, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': String(body.length), ...headers });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}
