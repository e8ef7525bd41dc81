/** A server on a free port with a fake Face, and a client that holds every answer against /openapi.json. */
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { openApiDocument } from '../../src/http/openapi.ts';
import { startServer } from '../../src/http/server.ts';
import { silentLog } from '../../src/lib/log.ts';
import { RECORD_SCHEMAS } from '../../src/record/schema.ts';
import type { Config, Face } from '../../src/types.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly text: string;
  /** undefined where the body is no JSON. */
  readonly json: unknown;
}

export interface Asking {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is. */
  readonly body?: string | Buffer;
}

export interface Site {
  readonly url: string;
  readonly port: number;
  send(method: string, path: string, asking?: Asking): Promise<Answer>;
  readonly close: () => Promise<void>;
}

export const STATIC = fileURLToPath(new URL('../../static', import.meta.url));
const DEFAULTS = { host: '127.0.0.1', port: 0, token: null, allowed_hosts: [], project: null, push_max_bytes: 1_000_000, camera_password: null, push_camera_viewers: null };

export async function createSite(face: Face, config: Partial<Config> = {}, staticDir = STATIC, log = silentLog): Promise<Site> {
  const server = await startServer({ face, config: { ...DEFAULTS, ...config }, staticDir, log, version: '1.2.3' });
  return {
    url: server.url,
    port: server.port,
    close: () => server.close(),
    send: (method, path, asking) => ask(server.port, method, path, asking),
  };
}

/** What a server on this port answers; throws unless its /openapi.json says so. */
export async function ask(port: number, method: string, path: string, asking: Asking = {}): Promise<Answer> {
  const answer = await send(port, method, path, asking);
  expectDocumented(method, path, answer);
  return answer;
}

/** node:http and not fetch: fetch forbids a Host of one's own. */
function send(port: number, method: string, path: string, { headers, json, body }: Asking): Promise<Answer> {
  const text = json === undefined ? body : JSON.stringify(json);
  return new Promise((resolve, reject) => {
    const asked = httpRequest({ host: '127.0.0.1', port, method, path, agent: false, headers: { ...(json === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers } }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part)).on('error', reject).on('end', () => {
        const bytes = Buffer.concat(parts);
        const isJson = response.headers['content-type']?.startsWith('application/json') === true && bytes.length > 0;
        resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes, text: bytes.toString(), json: isJson ? JSON.parse(bytes.toString()) : undefined });
      });
    });
    asked.on('error', reject).end(text);
  });
}

const document = openApiDocument('1.2.3', RECORD_SCHEMAS.v1);
const ajv = new Ajv2020({ strict: false });
addFormats.default(ajv);
ajv.addSchema(document, 'openapi');

/** Throws unless the document has this path, method, status and content type, and the body fits its schema. */
function expectDocumented(method: string, path: string, answer: Answer): void {
  const what = `${method} ${path} → ${answer.status}`;
  const template = Object.keys(document.paths).find((candidate) => new RegExp(`^${candidate.replace(/[.]/g, '\\.').replace(/\{\w+\}/g, '[^/]+')}$`).test(path.split('?')[0] ?? ''));
  if (template === undefined) {
    if (answer.status < 400) throw new Error(`${what}: the path is not in openapi.json`);
    return;
  }
  const operations: Readonly<Record<string, unknown>> = document.paths[template] ?? {};
  const key = method === 'HEAD' ? 'get' : method.toLowerCase();
  if (!(key in operations)) {
    if (answer.status !== 405 && method !== 'OPTIONS' && answer.status !== 401 && answer.status !== 403) throw new Error(`${what}: the method is not in openapi.json`);
    return;
  }
  // What the client has already.
  if (answer.status === 304) return;
  const { responses } = operations[key] as { responses: Record<string, { content?: Record<string, unknown> }> };
  const documented = responses[answer.status];
  if (!documented) throw new Error(`${what}: the status is not in openapi.json`);
  if (documented.content === undefined || method === 'HEAD') return;
  const type = (answer.headers['content-type'] ?? '').split(';')[0] ?? '';
  if (!(type in documented.content)) throw new Error(`${what}: the content type ${type} is not in openapi.json`);
  if (answer.json === undefined) return;
  const steps = ['paths', template, key, 'responses', answer.status, 'content', type, 'schema'];
  const pointer = steps.map((step) => encodeURIComponent(String(step).replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');
  const validate = ajv.getSchema(`openapi#/${pointer}`);
  if (!validate) throw new Error(`${what}: no schema at ${pointer}`);
  if (validate(answer.json) !== true) throw new Error(`${what} does not fit openapi.json: ${ajv.errorsText(validate.errors)}\n${answer.text.slice(0, 2000)}`);
}
