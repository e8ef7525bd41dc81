/**
 * Malformed requests to every route of /openapi.json: each is answered with 4xx in JSON, or served, and never with 5xx.
 * FUZZ_REQUESTS: how many for each route (40); FUZZ_SEED: which ones (1). A failure names the seed and the request.
 */
import { connect } from 'node:net';
import { gzipSync, deflateSync, brotliCompressSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openApiDocument } from '../../src/http/openapi.ts';
import { RECORD_SCHEMAS } from '../../src/record/schema.ts';
import { startTestApp, type TestApp } from '../helpers/app.ts';
import { tellFigure } from '../promises/figures.ts';

const PER_ROUTE = Number(process.env['FUZZ_REQUESTS'] ?? 40);
const SEED = Number(process.env['FUZZ_SEED'] ?? 1);
const SLOWEST_MS = 5000;

let lookout: TestApp;
let port: number;

beforeAll(async () => {
  lookout = await startTestApp({ max_streams: 2, default_models: ['motion'], offline: true, grace_seconds: 1 });
  port = Number(new URL(lookout.url).port);
});

afterAll(() => lookout.close());

/** Numbers from 0 to 1, always the same ones for a seed (mulberry32). */
function createChance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const repeated = (text: string, times: number): string => text.repeat(times);
const deep = (levels: number): string => repeated('[', levels) + repeated(']', levels);

/** As they stand in JSON, or where JSON should stand. */
const VALUES = [
  'null', 'true', '0', '-0', '-1', '0.1', '1e999', '-1e-400', '9007199254740993', 'NaN', '-Infinity', 'undefined', '01', '""', '" "', '"\\u0000"', '"\\ud800"', '"\\u202e"',
  '"."', '".."', '"../../etc/passwd"', '"%2e%2e%2f"', '"a/b"', '"a\\\\b"', '"__proto__"', '"constructor"', '"toString"', '"hasOwnProperty"', '"<script>alert(1)</script>"', '"\\r\\nSet-Cookie: a=b"',
  '[]', '{}', '[[]]', '[null]', '[{}]', '{"__proto__":{"polluted":1}}', '{"constructor":{"prototype":{"polluted":1}}}', '{"$gt":""}', deep(31), deep(40), deep(100_000),
  `"${repeated('x', 129)}"`, `"${repeated('y', 300_000)}"`, `"${repeated('a://', 50_000)}"`, `[${repeated('1,', 10_001)}1]`, '["motion","motion"]', '"motion"', '["lions"]',
  '"rtsp://127.0.0.1:1/x"', '"rtsp://u:p@127.0.0.1:1/x"', '"file:///etc/passwd"', '"http://127.0.0.1:1/"', '"-i"', '"rtsp://a b/"', '"rtsp://127.0.0.1:99999/"', '"concat:a|b"', '"rtsp://[::1"', '{"a":1,"a":2}',
];
const FIELDS = [
  'camera_id', 'rtsp_url', 'model_name', 'models', 'streams', 'interval_seconds', 'batch_size', 'batch_deadline_seconds', 'capture_mode', 'transport', 'video_track', 'duration_seconds',
  'cameraID', 'latitude', 'longitude', 'url', 'options', 'enabled', 'rule', 'seconds', 'to', 'verdict', 'keep', 'confidence', 'classes', 'hours', 'min_frames', '__proto__', 'constructor', '', repeated('k', 2000),
];
const SOUND: Readonly<Record<string, string>> = { camera_id: '"fuzz"', rtsp_url: '"rtsp://127.0.0.1:1/x"', cameraID: '"fuzz"', latitude: '1', longitude: '2', enabled: 'false' };
const NAMES = ['fuzz', 'complaints', '%00', '%2e%2e', '..%2f..%2fetc%2fpasswd', '%252e', '%c0%af', '%ff', '%', '%zz', '%E2%80%AE', '%0d%0aX:y', '__proto__', 'constructor', '0', '-1', 'null', '*', ';', '%20', repeated('n', 4000)];
const QUERIES = [
  '', '', '', '?', '?limit=-1', '?limit=1e9', '?limit=0', '?limit=501', '?limit=51&pictures=true', '?limit=%00', '?limit=1&limit=2', '?limit[]=1', '?limit[__proto__]=1', '?camera_id[a]=b', '?since=never', '?since=2026-13-45T99:99:99Z',
  '?since=2026-01-01T00:00:00Z&since=x', '?pictures=perhaps', '?%ff=%ff', '?camera_id=%E0%A4%A', `?model=${repeated('m', 6000)}`, `?${repeated('a=1&', 1500)}`, `?${repeated('[', 300)}`, '?__proto__=1', '?error=%3Cscript%3E', '?started[]=1',
  '?alert=perhaps', '?state=lost', '?before=%00', '?class[]=dog', '?rule=a&rule=b', '?verdict=perhaps', '?boxes=perhaps',
];
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT', 'PROPFIND', 'SEARCH', 'get', 'NONE', 'G\0T'];
const TYPES = [
  'application/json', 'application/json', 'application/json', 'application/json; charset=utf-16', 'application/json; charset=klingon', 'application/json;;;', 'application/vnd.x+json', 'text/plain', 'text/json', '\xff',
  'application/x-www-form-urlencoded', 'application/x-www-form-urlencoded; charset=utf-7', 'multipart/form-data', 'multipart/form-data; boundary=x',
];
const HEADERS = [
  'Expect: 100-continue', 'Expect: nothing', 'Range: bytes=0-0,1-1,-1', 'Range: bytes=9999999-', 'If-None-Match: *', 'If-Modified-Since: never', 'Cookie: a=b', `Cookie: ${repeated('a=b; ', 1000)}`, `X-Large: ${repeated('y', 17_000)}`,
  `${repeated('X: y\r\n', 3000)}Z: z`, 'Upgrade: websocket\r\nConnection: Upgrade', 'X-HTTP-Method-Override: DELETE', 'X-Forwarded-For: \xff', 'Authorization: Basic %%%', 'Authorization: Bearer', 'Origin: null', 'Origin: http://evil.example', 'Origin: \xff',
  'Host: evil.example', 'Host: ', 'Host: [::1', 'Transfer-Encoding: gzip', 'Transfer-Encoding: chunked, chunked', 'Content-Length: -1', 'Content-Length: 99999999999999999999', 'TE: trailers', 'Accept: \0', ': no name', 'no colon',
];

interface Asked {
  readonly method: string;
  readonly target: string;
  readonly bytes: Buffer;
}

function createRequests(seed: number): (path: string, methods: readonly string[]) => Asked {
  const chance = createChance(seed);
  const one = <Item>(items: readonly Item[]): Item => items[Math.floor(chance() * items.length)] as Item;
  const odds = (of: number): boolean => chance() < of;

  const object = (depth = 0): string => `{${FIELDS.filter(() => odds(0.25)).map((field) => {
    const sound = SOUND[field];
    if (sound !== undefined && odds(0.5)) return `"${field}":${sound}`;
    if (['streams', 'options'].includes(field) && depth < 2 && odds(0.7)) return `"${field}":${field === 'streams' ? `[${object(depth + 1)},${one(VALUES)},${object(depth + 1)}]` : object(depth + 1)}`;
    return `"${field}":${one(VALUES)}`;
  }).join(',')}}`;

  /** Cut off somewhere, or with a byte that is another. */
  const spoilt = (bytes: Buffer): Buffer => {
    const place = Math.floor(chance() * bytes.length);
    if (odds(0.5)) return bytes.subarray(0, place);
    const other = Buffer.from(bytes);
    if (other.length > 0) other[place] = Math.floor(chance() * 256);
    return other;
  };

  const body = (): Buffer => one<() => Buffer>([
    () => Buffer.from(object()), () => Buffer.from(object()), () => Buffer.from(object()), () => spoilt(Buffer.from(object())), () => Buffer.from(one(VALUES)),
    () => Buffer.from(`\ufeff${object()}`), () => Buffer.from(object(), 'utf16le'), () => Buffer.alloc(one([0, 1, 1_048_577, 2_000_000]), 0x20),
    () => Buffer.from(Array.from({ length: 300 }, () => Math.floor(chance() * 256))), () => Buffer.from(repeated('{"a":', 100_000)),
    () => Buffer.from(`--x\r\nContent-Disposition: form-data; name="camera_id"\r\n\r\n${one(VALUES)}\r\n--x--`),
    () => Buffer.from(`camera_id=${encodeURIComponent(one(VALUES))}&rtsp_url=rtsp://127.0.0.1:1/&latitude=%ff&${repeated('x=y&', one([0, 2000]))}`),
  ])();

  const encoded = (bytes: Buffer): readonly [string, Buffer] => one<() => readonly [string, Buffer]>([
    () => ['Content-Encoding: gzip', gzipSync(bytes)], () => ['Content-Encoding: deflate', deflateSync(bytes)], () => ['Content-Encoding: br', brotliCompressSync(bytes)],
    () => ['Content-Encoding: gzip', gzipSync(Buffer.alloc(50_000_000), { level: 1 })], () => ['Content-Encoding: gzip', bytes], () => ['Content-Encoding: gzip', spoilt(gzipSync(bytes))],
    () => ['Content-Encoding: none of these', bytes],
  ])();

  return (path, methods) => {
    const target = `${path.replace(/\{\w+\}/, () => one(NAMES))}${one(QUERIES)}`;
    const method = odds(0.75) ? one(methods) : one(METHODS);
    let bytes = ['GET', 'HEAD'].includes(method) && odds(0.9) ? Buffer.alloc(0) : body();
    const headers = [...(odds(0.95) ? [`Host: 127.0.0.1:${port}`] : []), ...(odds(0.95) ? [`Content-Type: ${one(TYPES)}`] : []), ...(odds(0.3) ? [one(HEADERS)] : []), 'Connection: close'];
    if (bytes.length > 0 && odds(0.1)) {
      const [header, other] = encoded(bytes);
      headers.push(header);
      bytes = other;
    }
    if (odds(0.1)) {
      headers.push('Transfer-Encoding: chunked');
      bytes = Buffer.concat([Buffer.from(`${bytes.length.toString(16)}${odds(0.2) ? ';x=y' : ''}\r\n`), bytes, Buffer.from(bytes.length === 0 ? '\r\n' : '\r\n0\r\n\r\n')]);
    } else {
      headers.push(`Content-Length: ${bytes.length}`);
    }
    return { method, target, bytes: Buffer.concat([Buffer.from(`${method} ${target} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`, 'latin1'), bytes]) };
  };
}

/** All that the server says until it ends the connection; null: it did not end it in time. */
function exchange(bytes: Buffer): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let heard = '';
    const late = setTimeout(() => {
      resolve(null);
      socket.destroy();
    }, SLOWEST_MS);
    socket.on('data', (more: Buffer) => {
      heard += more.toString('latin1');
      // It goes on and on.
      if (/^HTTP\/1\.1 200 [^]*\r\ncontent-type: text\/event-stream/i.test(heard)) socket.destroy();
    });
    // A reset comes where the server has said what it had to, and does not read the rest.
    socket.on('error', () => undefined).on('close', () => {
      clearTimeout(late);
      resolve(heard);
    });
    socket.write(bytes);
  });
}

/** What is wrong with an answer; null: nothing. */
function faultOf({ method, target }: Asked, path: string, text: string | null): string | null {
  if (text === null) return 'no end of an answer in time';
  const answer = text.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '');
  // A reset may have overtaken it: bodies that are too large are not read to their end.
  if (answer === '') return null;
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1]);
  if (path === '/readyz' && status === 503) return null;
  if (Number.isNaN(status) || status >= 500) return `answered ${answer.slice(0, 300)}`;
  if (status < 400 || method === 'HEAD') return null;
  // As the Flask orchestrator answered methods that its routes do not take.
  if (status === 405 && ['/start_stream', '/start_streams', '/api/cameras'].includes(target.split('?')[0] ?? '')) return null;
  return /\r\ncontent-type: application\/json/i.test(answer) && /"error": ?"/.test(answer) ? null : `no JSON: ${answer.slice(0, 300)}`;
}

const { paths } = openApiDocument('1', RECORD_SCHEMAS.v1);

it(`${PER_ROUTE} malformed requests for each route are refused in JSON, or served, and none is a fault of the server`, async () => {
  const faults: string[] = [];
  let unanswered = 0;
  const next = createRequests(SEED);
  for (const [path, operations] of Object.entries(paths)) {
    const methods = Object.keys(operations).map((method) => method.toUpperCase());
    for (let number = 0; number < PER_ROUTE; number += 1) {
      const asked = next(path, methods);
      const text = await exchange(asked.bytes);
      if (text === '') unanswered += 1;
      const fault = faultOf(asked, path, text);
      if (fault !== null) faults.push(`seed ${SEED}, ${path}, request ${number}: ${fault}\n  to ${asked.bytes.toString('latin1', 0, 400)}`);
    }
  }
  expect(faults.slice(0, 10).join('\n')).toBe('');
  expect(unanswered).toBeLessThan(PER_ROUTE * Object.keys(paths).length * 0.02);

  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  expect((await fetch(`${lookout.url}/healthz`)).status).toBe(200);
  expect(lookout.log()).not.toContain('a request failed');
  const { captured, recorded, dead_lettered, in_spool } = lookout.app.face.books();
  expect([captured, recorded, dead_lettered, in_spool]).toEqual([0, 0, 0, 0]);
  tellFigure('fuzz', `${PER_ROUTE} for each route, seed ${SEED}: none`);
}, Math.max(120_000, PER_ROUTE * 1000));
