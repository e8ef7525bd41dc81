/** The page, its files, and the plain form for browsers without JavaScript. */
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import express, { type Request, type RequestHandler, type Response, Router } from 'express';
import { LookoutError } from '../errors.ts';
import type { Log } from '../lib/log.ts';
import type { Face } from '../types.ts';
import { asLookoutError, errors, report, saying } from './answer.ts';
import { sameHost } from './guard.ts';
import { readPageFiles, servePageFiles } from './page-files.ts';
import { readCamera } from './read-camera.ts';
import { readStart } from './read-start.ts';
import { route } from './route.ts';
import { toRoot } from './to-root.ts';

/** Pages of the user's own, which were written for no policy: what they load and run is theirs to say. */
const PROJECT_HEADERS = { 'Content-Security-Policy': "object-src 'none'; base-uri 'none'; frame-ancestors 'none'" };

/** What `staticDir` has not is looked for among the static files of the project, the folder of the Flask orchestrator. */
export function pageRoutes(face: Face, staticDir: string, projectDir: string | null, log: Log): Router {
  const router = Router();

  const own = readPageFiles(staticDir);
  const send = (name: string, request: Request, response: Response, notice: string | null = null): void => {
    const file = own.get(name);
    if (!file) throw new Error(`${join(staticDir, name)} is missing`);
    const html = file.bytes.toString().replaceAll('="./', `="${toRoot(request)}`);
    response.set('Cache-Control', notice === null ? 'no-cache' : 'no-store').type('html');
    if (notice === null) response.set('Last-Modified', file.modified);
    response.send(html.replace('<!-- notice -->', (mark) => notice ?? mark));
  };
  const page: RequestHandler = (request, response) => {
    response.set('Content-Disposition', 'inline; filename=index.html');
    send('index.html', request, response, noticeOf(request, face));
  };
  const named = (name: string): RequestHandler => (request, response) => { send(name, request, response); };
  route(router, '/', { get: page });
  route(router, '/static/index.html', { get: page });
  for (const name of ['records', 'events', 'docs']) {
    for (const path of [`/${name}`, `/static/${name}.html`]) route(router, path, { get: named(`${name}.html`) });
  }
  route(router, '/favicon.ico', { get: (_request, response) => { response.status(204).type('html').end(); } });
  router.use('/static', servePageFiles(own));
  if (projectDir !== null) router.use('/static', servePagesOfProject(join(projectDir, 'static')));

  router.use('/forms', express.urlencoded({ extended: false, limit: '1mb' }));
  route(router, '/forms/start_stream', {
    post: async (request, response) => {
      checkSentByOurPage(request);
      try {
        const query = await startFromForm((request.body ?? {}) as Form);
        response.redirect(303, `${toRoot(request)}?${new URLSearchParams(query).toString()}`);
      } catch (thrown) {
        const error = asLookoutError(thrown);
        report(log, error, '/forms/start_stream');
        // Here and not by way of an address, in which anybody could make the page say anything.
        response.status(error.status);
        send('index.html', request, response, notice('error', `Not started: ${saying(error)}`));
      }
    },
  });

  const startFromForm = async (form: Form): Promise<Record<string, string>> => {
    const field = (name: string): string => [form[name] ?? ''].flat().join(',').trim();
    const models = field('model_name').split(',').map((name) => name.trim()).filter((name) => name !== '');
    const start = readStart({
      camera_id: field('camera_id'),
      rtsp_url: withLogin(field('rtsp_url'), field('username'), [form['password'] ?? ''].flat().join('')),
      model_name: models.length > 0 ? models : null,
    });
    const coordinates = { latitude: field('latitude'), longitude: field('longitude') };
    const cameraID = String(start.camera_id);
    if (coordinates.latitude + coordinates.longitude !== '' && !(await face.cameras()).some((camera) => camera.cameraID.trim() === cameraID)) {
      await face.addCamera(readCamera({ cameraID, ...coordinates }));
    }
    return { [await face.start(start)]: cameraID };
  };

  router.use(errors(log));
  return router;
}

/** User name and password have fields of their own, so that the password is hidden from who looks at the screen. */
function withLogin(url: string, username: string, password: string): string {
  if (username + password === '') return url;
  const encoded = (text: string): string => encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
  // Nobody decodes that of an RTMP address.
  const asSent = /^rtmps?:/i.test(url) ? (text: string): string => text : encoded;
  const login = password === '' ? asSent(username) : `${asSent(username)}:${asSent(password)}`;
  return url.replace(/^[a-z][a-z0-9+.-]*:\/\//i, (scheme) => `${scheme}${login}@`);
}

function servePagesOfProject(folder: string): RequestHandler {
  const setHeaders = (response: ServerResponse): void => { response.setHeaders(new Map(Object.entries({ 'Cache-Control': 'no-cache', ...PROJECT_HEADERS }))); };
  return express.static(folder, { index: false, redirect: false, cacheControl: false, setHeaders });
}

type Form = Readonly<Record<string, string | readonly string[] | undefined>>;

/** A form of any site can be sent here by a browser that knows our password; browsers say where it stood. */
function checkSentByOurPage(request: Request): void {
  const asked = (request.get('host') ?? '').toLowerCase();
  const site = request.get('sec-fetch-site');
  const from = request.get('origin') ?? request.get('referer');
  const ours = from === undefined ? site === 'same-origin' : sameHost(from, asked) && (site === undefined || site === 'same-origin');
  if (!ours) throw new LookoutError('forbidden_origin', 'This form works from the page of this server only; programs use POST /start_stream.');
}

/** What became of the form, from the address that it leads back to. Anybody can write an address: of it the page says nothing but the name of a stream that there is. */
function noticeOf({ query }: Request, face: Face): string | null {
  const known = (name: string): string | null => (typeof query[name] === 'string' && face.stream(query[name]) !== null ? query[name] : null);
  const [started, running] = [known('started'), known('already_running')];
  if (started !== null) return notice('good', `Started: ${started}. The first picture comes within seconds.`);
  return running === null ? null : notice('good', `Already running: ${running}.`);
}

function notice(kind: 'good' | 'error', text: string): string {
  const escaped = text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
  return `<p class="notice ${kind}" role="${kind === 'error' ? 'alert' : 'status'}">${escaped}</p>`;
}
