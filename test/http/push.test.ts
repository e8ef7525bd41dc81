/** The route to which cameras bring their pictures: its key, its headers, its limits. */
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LookoutError } from '../../src/errors.ts';
import { createLog } from '../../src/lib/log.ts';
import { CAMERA_KEY, createFakeFace, type FakeFace } from '../helpers/fake-face.ts';
import { createSite, type Asking, type Answer, type Site } from './site.ts';

const PATH = '/api/cameras/CAM%201/frames';
const PICTURE = Buffer.from('jpeg');
const KEY = { 'X-Camera-Auth': CAMERA_KEY };

let face: FakeFace;
let site: Site;

beforeAll(async () => {
  face = createFakeFace();
  await face.start({ camera_id: 'CAM 1', url: 'push:' });
  await face.start({ camera_id: 'stopped', url: 'push:' });
  await face.stop('stopped');
  // The token is for others.
  site = await createSite(face, { token: 'sixteen-characters', push_max_bytes: 5000 });
});
beforeEach(() => { face.asked.pushes.length = 0; });
afterAll(() => site.close());

const push = (headers: Readonly<Record<string, string>> = {}, asking: Asking = {}): Promise<Answer> => site.send('POST', PATH, { body: PICTURE, ...asking, headers: { ...KEY, ...headers } });

/** What is answered to a request whose target is not brought into the usual form. */
async function raw(method: string, target: string): Promise<string> {
  const socket = connect(site.port, '127.0.0.1');
  socket.end(`${method} ${target} HTTP/1.1\r\nHost: a\r\nX-Camera-Auth: ${CAMERA_KEY}\r\nContent-Length: 4\r\nConnection: close\r\n\r\njpeg`);
  let answer = '';
  for await (const piece of socket) answer += String(piece);
  return answer;
}

describe('a picture that is pushed', () => {
  it('is taken with the camera\'s key, by either header, from any Host', async () => {
    for (const headers of [KEY, { Authorization: `Bearer ${CAMERA_KEY}` }, { ...KEY, Host: 'lookout.example' }]) {
      const { status, json } = await site.send('POST', PATH, { headers, body: PICTURE });
      expect([status, json]).toEqual([202, { camera_id: 'CAM 1', captured_at: expect.any(String) as string, taken: true, note: null }]);
    }
    expect(face.asked.pushes.map(({ camera_id, bytes, findings }) => [camera_id, Buffer.from(bytes).toString(), findings])).toEqual(Array(3).fill(['CAM 1', 'jpeg', []]));
  });

  it.each([['none', {}], ['a wrong one', { 'X-Camera-Auth': 'wrong' }], ['the server\'s token', { Authorization: 'Bearer sixteen-characters' }]])('is refused with %s, before anything of it is read', async (_which, headers) => {
    const { status, headers: answered, json } = await site.send('POST', PATH, { headers, body: PICTURE });
    expect([status, (json as { code: string }).code, answered['www-authenticate']]).toEqual([401, 'unauthorized', 'Bearer realm="camera"']);
    expect(face.asked.pushes).toEqual([]);
  });

  it('says to nobody without a key which cameras there are', async () => {
    expect((await site.send('POST', '/api/cameras/nobody/frames', { body: PICTURE })).status).toBe(401);
    expect((await site.send('POST', '/api/cameras/nobody/frames', { headers: KEY, body: PICTURE })).json).toMatchObject({ code: 'not_found' });
    expect((await site.send('POST', '/api/cameras/stopped/frames', { headers: KEY, body: PICTURE }))).toMatchObject({ status: 409, json: { code: 'not_running' } });
    expect((await site.send('GET', PATH)).status).toBe(405);
  });

  it.each(['//api/cameras/CAM%201/frames', '/API/Cameras/CAM%201/Frames', '/api/cameras/CAM%201/frames/', '/api/cameras/%43AM%201/frames?at=1', 'http://lookout.example:5000/api/cameras/CAM%201/frames'])('is taken at %s', async (target) => {
    expect(await raw('POST', target)).toContain('HTTP/1.1 202 ');
    expect(face.asked.pushes.map(({ camera_id }) => camera_id)).toEqual(['CAM 1']);
  });

  it('has no other place', async () => {
    for (const target of ['/api/cameras/CAM%201/frames/1', '/api/cameras/CAM%201/framess', '/api/cameras//frames', '/x/api/cameras/CAM%201/frames', '/?/api/cameras/CAM%201/frames']) expect(await raw('POST', target), target).toContain('HTTP/1.1 401 ');
    expect(await raw('POST', '/api/cameras/CAM%E01/frames')).toMatch(/^HTTP\/1.1 400 [^]*"code":"bad_request"/);
    expect(face.asked.pushes).toEqual([]);
  });

  it('says which methods it takes', async () => {
    const answers = await Promise.all(['OPTIONS', 'GET', 'HEAD', 'DELETE'].map((method) => raw(method, PATH)));
    expect(answers.map((answer) => /^HTTP\/1.1 (\d+) /.exec(answer)?.[1])).toEqual(['200', '405', '405', '405']);
    for (const answer of answers) expect(answer).toMatch(/^Allow: POST, OPTIONS\r$[^]*/m);
    for (const answer of answers) expect(answer).toMatch(/^X-Content-Type-Options: nosniff\r$/m);
  });

  it('is refused in words, which the log has in full, where the key cannot be read', async () => {
    const lines: string[] = [];
    const unreadable: FakeFace = { ...createFakeFace(), isCameraKey: () => Promise.reject(new LookoutError('file_unreadable', 'It cannot be read.', { cause: new Error('EACCES: /srv/data') })) };
    const own = await createSite(unreadable, {}, undefined, createLog({ level: 'info', format: 'text', write: (line) => lines.push(line) }));
    try {
      const { status, json, text } = await own.send('POST', PATH, { headers: KEY, body: PICTURE });
      expect([status, json, text.includes('/srv')]).toEqual([503, { error: expect.any(String) as string, code: 'file_unreadable' }, false]);
      expect(lines.filter((line) => line.includes('the key of a camera cannot be read') && line.includes('EACCES: /srv/data'))).toHaveLength(1);
      expect(lines.join()).not.toContain('a request failed');
    } finally {
      await own.close();
    }
  });

  it('is limited in its tries of keys', async () => {
    const own = await createSite(createFakeFace());
    try {
      const statuses: number[] = [];
      for (let time = 0; time < 11; time += 1) statuses.push((await own.send('POST', PATH, { headers: { 'X-Camera-Auth': `${time}` } })).status);
      const { status, headers } = await own.send('POST', PATH, { headers: KEY });
      expect([statuses, status, headers['retry-after']]).toEqual([[...Array<number>(10).fill(401), 429], 429, '60']);
    } finally {
      await own.close();
    }
  });

  it('says when it was taken, unless its clock is wrong', async () => {
    const now = Date.now();
    const times = [new Date(now - 5000).toISOString(), `${(now - 7000) / 1000}`, new Date(now - 8000).toISOString().replace('Z', '+00:00')];
    for (const time of times) expect((await push({ 'X-Captured-At': time })).json).toMatchObject({ note: null });
    expect(face.asked.pushes.map(({ captured_at }) => now - Date.parse(captured_at))).toEqual([5000, 7000, 8000]);
    for (const [time, words] of [[new Date(now + 3_600_000).toISOString(), /36\d\d s ahead of/], ['0', /s behind/]] as const) {
      expect((await push({ 'X-Captured-At': time })).json).toMatchObject({ note: expect.stringMatching(words) as string });
      expect(Math.abs(Date.parse(face.asked.pushes.at(-1)?.captured_at ?? '') - Date.now())).toBeLessThan(5000);
    }
    for (const time of ['yesterday', '2026-13-01T00:00:00Z', '-5']) expect((await push({ 'X-Captured-At': time }))).toMatchObject({ status: 400, json: { error: expect.stringContaining('X-Captured-At') as string } });
  });

  it.each([
    ['dog', [{ class: 'dog', confidence: 1 }]],
    ['dog;0.5', [{ class: 'dog', confidence: 0.5 }]],
    ['dog ; 0.5 ; 1, 2,3 ,4 ', [{ class: 'dog', confidence: 0.5, box: [1, 2, 3, 4] }]],
    ['dog;;1,2,3,4', [{ class: 'dog', confidence: 1, box: [1, 2, 3, 4] }]],
    ['dog;0.5;1,2,3.5,4, cat, a%20b%2C%3B%0A%C3%A9%23%2F%2B;0', [{ class: 'dog', confidence: 0.5, box: [1, 2, 3.5, 4] }, { class: 'cat', confidence: 1 }, { class: 'a b,;\né#/+', confidence: 0 }]],
    [Array(100).fill('dog').join(', '), Array(100).fill({ class: 'dog', confidence: 1 })],
  ])('says what was seen: %.60s', async (header, findings) => {
    expect((await push({ 'X-Finding': header })).status).toBe(202);
    expect(face.asked.pushes[0]?.findings).toEqual(findings);
  });

  it('says it in several headers as well', async () => {
    const socket = connect(site.port, '127.0.0.1');
    socket.end(`POST ${PATH} HTTP/1.1\r\nHost: a\r\nX-Camera-Auth: ${CAMERA_KEY}\r\nX-Finding: dog;0.5\r\nX-Finding: cat\r\nContent-Length: 4\r\nConnection: close\r\n\r\njpeg`);
    const parts: Buffer[] = [];
    for await (const part of socket) parts.push(part as Buffer);
    expect(Buffer.concat(parts).toString()).toMatch(/^HTTP\/1\.1 202 /);
    expect(face.asked.pushes[0]?.findings.map((finding) => finding.class)).toEqual(['dog', 'cat']);
  });

  it.each([
    '%', '%FF', ';0.5', 'dog;2', 'dog;-1', 'dog;high', 'dog;NaN', 'dog;1;1,2,3', 'dog;1;4,2,3,4', 'dog;1;1,2,3,4,5', 'dog;1;1,2,3,x', 'dog;1;1,2,3,4;5', 'a'.repeat(257), Array(101).fill('dog').join(', '),
  ])('is refused where it says %.30s', async (header) => {
    expect(await push({ 'X-Finding': header })).toMatchObject({ status: 400, json: { error: expect.stringContaining('X-Finding') as string } });
    expect(face.asked.pushes).toEqual([]);
  });

  it('is refused in no time where it is long and means nothing', async () => {
    const began = performance.now();
    expect((await push({ 'X-Finding': `a, ${' '.repeat(15_000)}b;c;d;e` })).status).toBe(400);
    expect(performance.now() - began).toBeLessThan(500);
  });

  it('is refused when it is too large, told before or not, and the connection goes on', async () => {
    for (const headers of [{}, { 'Transfer-Encoding': 'chunked' }]) {
      expect(await push(headers, { body: Buffer.alloc(5001) })).toMatchObject({ status: 413, json: { code: 'too_large' } });
      expect((await push(headers, { body: Buffer.alloc(5000) })).status).toBe(202);
    }
  });

  it('is not held in memory when it is 200 MB', async () => {
    const before = process.memoryUsage().rss;
    const piece = Buffer.alloc(1_000_000);
    let most = 0;
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(site.port, '127.0.0.1', () => {
        socket.write(`POST ${PATH} HTTP/1.1\r\nHost: a\r\nX-Camera-Auth: ${CAMERA_KEY}\r\nContent-Length: 200000000\r\nConnection: close\r\n\r\n`);
        let sent = 0;
        const more = (): void => {
          most = Math.max(most, process.memoryUsage().rss);
          while (sent < 200) {
            sent += 1;
            if (!socket.write(piece)) { socket.once('drain', more); return; }
          }
        };
        more();
      });
      let text = '';
      socket.on('data', (part) => { text += part.toString(); }).on('error', (error) => { if (text === '') reject(error); else resolve(text); }).on('close', () => { resolve(text); });
    });
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(most - before).toBeLessThan(100_000_000);
  });

  it('that breaks off is nobody\'s', async () => {
    await new Promise<void>((resolve) => {
      const socket = connect(site.port, '127.0.0.1', () => {
        socket.write(`POST ${PATH} HTTP/1.1\r\nHost: a\r\nX-Camera-Auth: ${CAMERA_KEY}\r\nContent-Length: 4000\r\n\r\njp`, () => { socket.destroy(); resolve(); });
      });
    });
    expect((await push()).status).toBe(202);
    expect(face.asked.pushes).toHaveLength(1);
  });

  it('is answered with why it was not taken', async () => {
    for (const [error, status] of [[new LookoutError('not_a_picture', 'no'), 415], [new LookoutError('bad_request', 'torn'), 400], [new LookoutError('too_many_at_once', 'later'), 503]] as const) {
      face.failNext(error);
      const answered = await site.send('POST', PATH, { body: PICTURE, headers: KEY });
      // The key is looked at first.
      expect(answered.status).toBe(status);
    }
  });
});
