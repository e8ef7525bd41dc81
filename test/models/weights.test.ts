import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, readdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { modelFiles } from '../../src/models/fingerprint.ts';
import { findWeights, missingWeights, provideWeights } from '../../src/models/weights.ts';
import type { Model, Weights } from '../../src/types.ts';
import { listen, modelIn, never, temporaryFolder, writeTree } from './fixtures.ts';

const BYTES = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 31) % 251));
const HASH = createHash('sha256').update(BYTES).digest('hex');

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A server that gives the answers in turn, the last one for ever. */
async function serve(...answers: readonly Answer[]): Promise<{ url: string; ranges: (string | undefined)[]; headers: IncomingHttpHeaders[] }> {
  const ranges: (string | undefined)[] = [];
  const headers: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    const answer = answers[Math.min(ranges.length, answers.length - 1)];
    ranges.push(request.headers.range);
    headers.push(request.headers);
    answer?.(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => new Promise((done) => {
    server.closeAllConnections();
    server.close(() => { done(); });
  }));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/small.onnx`, ranges, headers };
}

/** All of it, or from where the request asks. */
const whole: Answer = (request, response) => {
  const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
  if (from >= BYTES.length) return response.writeHead(416, { 'content-range': `bytes */${BYTES.length}` }).end();
  const headers = { 'content-length': BYTES.length - from, ...(from > 0 && { 'content-range': `bytes ${from}-${BYTES.length - 1}/${BYTES.length}` }) };
  return response.writeHead(from > 0 ? 206 : 200, headers).end(BYTES.subarray(from));
};

const brokenOff: Answer = (_request, response) => {
  response.writeHead(200, { 'content-length': BYTES.length });
  response.write(BYTES.subarray(0, 100_000), () => setTimeout(() => response.destroy(), 50));
};

async function modelWith(weights: Partial<Weights>): Promise<{ model: Model; root: string; fetched: string }> {
  const root = await temporaryFolder();
  const fetched = join(root, 'data/weights/sample');
  const model = modelIn(join(root, 'm'), {
    weights: [{ file: 'small.onnx', url: null, sha256: null, required: true, ...weights }],
    weights_folders: [join(root, 'mine'), join(root, 'm'), fetched],
  });
  return { model, root, fetched };
}

test('finds weights by pattern in the order of the folders', async () => {
  const { model, root } = await modelWith({ file: 'yolo*.onnx' });
  await writeTree(root, { 'mine/yolo_b.onnx': '', 'mine/yolo_a.onnx': '', 'm/yolo.onnx': '', 'mine/yolo.onnx.part': '', 'mine/other.onnx': '', 'm/yoloxonnx': '', 'm/yolo_c.onnx/inside': '' });
  expect(await findWeights(model)).toEqual(['mine/yolo_a.onnx', 'mine/yolo_b.onnx', 'm/yolo.onnx'].map((path) => join(root, path)));
});

test('does not ask the network for weights that are there', async () => {
  const { url, ranges } = await serve(whole);
  const { model, root } = await modelWith({ url, sha256: HASH });
  await writeTree(root, { 'mine/small.onnx': 'my own' });
  await provideWeights(model, () => undefined, never);
  expect(ranges).toEqual([]);
});

test('fetches weights, checks their hash and leaves nothing else behind', async () => {
  const { url } = await serve(whole);
  const { model, fetched } = await modelWith({ url, sha256: HASH });
  const { lines, tell } = listen();
  await provideWeights(model, tell, never);
  expect(await readdir(fetched)).toEqual(['small.onnx']);
  expect((await readFile(join(fetched, 'small.onnx'))).equals(BYTES)).toBe(true);
  expect(lines[0]).toMatch(/^fetching small.onnx from 127\.0\.0\.1:\d+$/);
  expect(lines.at(-1)).toContain(HASH);
});

test('goes on after a break from where it was, with what an earlier process had fetched too', async () => {
  const { url, ranges } = await serve(brokenOff, whole);
  const { model, fetched } = await modelWith({ url, sha256: HASH });
  await provideWeights(model, () => undefined, never);
  expect(ranges).toEqual([undefined, 'bytes=100000-']);
  expect((await readFile(join(fetched, 'small.onnx'))).equals(BYTES)).toBe(true);

  const other = await modelWith({ url, sha256: HASH });
  await writeTree(other.fetched, { 'small.onnx.part': '' });
  await writeFile(join(other.fetched, 'small.onnx.part'), BYTES);
  await provideWeights(other.model, () => undefined, never);
  expect(ranges.at(-1)).toBe(`bytes=${BYTES.length}-`);
  expect((await readFile(join(other.fetched, 'small.onnx'))).equals(BYTES)).toBe(true);
});

test('begins anew when the server cannot resume', async () => {
  const { url, ranges } = await serve(brokenOff, (_request, response) => response.writeHead(200, { 'content-length': BYTES.length }).end(BYTES));
  const { model, fetched } = await modelWith({ url, sha256: HASH });
  await provideWeights(model, () => undefined, never);
  expect(ranges).toHaveLength(2);
  expect((await readFile(join(fetched, 'small.onnx'))).equals(BYTES)).toBe(true);
});

/** A version of the file that is broken off after a third of it. */
const versionBrokenOff = (etag: string): Answer => (_request, response) => {
  response.writeHead(200, { etag, 'content-length': BYTES.length });
  response.write(Buffer.alloc(100_000, etag), () => setTimeout(() => response.destroy(), 50));
};

test('does not glue two versions of a file together, whatever the server makes of If-Range', async () => {
  const { url, headers } = await serve(versionBrokenOff('"old"'), (request, response) => {
    if (request.headers['if-range'] === '"old"') response.setHeader('etag', '"new"').writeHead(200).end(BYTES);
  });
  const { model, fetched } = await modelWith({ url });
  await provideWeights(model, () => undefined, never);
  expect(headers.at(-1)).toMatchObject({ range: 'bytes=100000-', 'if-range': '"old"' });
  expect((await readFile(join(fetched, 'small.onnx'))).equals(BYTES)).toBe(true);

  const deaf = await serve(versionBrokenOff('"old"'), (request, response) => {
    response.setHeader('etag', '"new"');
    whole(request, response);
  });
  const second = await modelWith({ url: deaf.url });
  await provideWeights(second.model, () => undefined, never);
  expect(deaf.ranges).toEqual([undefined, 'bytes=100000-', undefined]);
  expect((await readFile(join(second.fetched, 'small.onnx'))).equals(BYTES)).toBe(true);
});

test('fetches a resumed file once from its beginning when its hash is wrong', async () => {
  const { url, ranges } = await serve(whole);
  const { model, fetched } = await modelWith({ url, sha256: HASH });
  await writeTree(fetched, { 'small.onnx.part': 'of an older version' });
  await provideWeights(model, () => undefined, never);
  expect(ranges).toEqual(['bytes=19-', undefined]);
  expect((await readFile(join(fetched, 'small.onnx'))).equals(BYTES)).toBe(true);
});

test.skipIf(process.platform !== 'linux')('gives up at once, and frees what it took, when the disk is full', async () => {
  const { url, ranges } = await serve(whole);
  const { model, fetched } = await modelWith({ url, sha256: HASH });
  await mkdir(fetched, { recursive: true });
  await symlink('/dev/full', join(fetched, 'small.onnx.part'));
  await expect(provideWeights(model, () => undefined, never)).rejects.toThrow(`no space is left for it in ${fetched}`);
  expect(ranges).toHaveLength(1);
  expect(await readdir(fetched)).toEqual([]);
});

test('takes nothing of a file for which there is too little room', async () => {
  const { url, ranges } = await serve((_request, response) => {
    response.writeHead(200, { 'content-length': 1e17 });
    response.write(BYTES);
  });
  const { model, fetched } = await modelWith({ url });
  const { lines, tell } = listen();
  await expect(provideWeights(model, tell, never)).rejects.toThrow(/no space is left for it in .*: 100000000\.0 GB are to come, [\d.]+ [MG]B are free\); put the file into/);
  expect(lines).toHaveLength(1);
  expect(ranges).toHaveLength(1);
  expect(await readdir(fetched)).toEqual([]);
});

test('sends the name and password of an address as a header and tells them to nobody else', async () => {
  const { url, headers } = await serve((_request, response) => response.writeHead(403).end());
  const { model } = await modelWith({ url: url.replace('//', '//user:se%40cret@') });
  const { lines, tell } = listen();
  const failed = provideWeights(model, tell, never);
  await expect(failed).rejects.toThrow('the server answered 403 Forbidden');
  await expect(failed).rejects.not.toThrow(/cret|user/);
  expect(lines.join()).not.toMatch(/cret|user/);
  // Not every % was meant to begin a code.
  await expect(provideWeights({ ...model, weights: model.weights.map((one) => ({ ...one, url: url.replace('//', '//user:100%cret@') })) }, tell, never)).rejects.toThrow('403');
  const sent = ['user:se@cret', 'user:100%cret'].map((login) => ({ authorization: `Basic ${Buffer.from(login).toString('base64')}` }));
  expect(headers).toMatchObject(sent);
});

test('deletes a file with the wrong hash and names both hashes', async () => {
  const { url } = await serve(whole);
  const { model, fetched } = await modelWith({ url, sha256: 'b'.repeat(64) });
  const failed = provideWeights(model, () => undefined, never);
  await expect(failed).rejects.toMatchObject({ code: 'model_unavailable' });
  await expect(failed).rejects.toThrow(new RegExp(`${HASH}, not ${'b'.repeat(64)}; it was deleted`));
  expect(await readdir(fetched)).toEqual([]);
});

test('does not take the page of a network that wants a login, or nothing, for weights', async () => {
  const { url } = await serve((_request, response) => response.end('<!DOCTYPE html><html>Log in'), (_request, response) => response.end(), whole);
  const { model, fetched } = await modelWith({ url });
  for (const what of ['a web page', 'an empty file']) {
    await expect(provideWeights(model, () => undefined, never)).rejects.toThrow(`what came is ${what}; it was deleted`);
    expect(await readdir(fetched)).toEqual([]);
  }
  await provideWeights(model, () => undefined, never);
  expect((await readFile(join(fetched, 'small.onnx'))).equals(BYTES)).toBe(true);
});

test('says of required weights that cannot be had which they are and where to put them', async () => {
  const nowhere = await modelWith({});
  await expect(provideWeights(nowhere.model, () => undefined, never)).rejects.toThrow(`the weights small.onnx are missing; put the file into ${join(nowhere.root, 'mine')}`);

  const { url, ranges } = await serve((_request, response) => response.writeHead(404).end());
  const refused = await modelWith({ url });
  await expect(provideWeights(refused.model, () => undefined, never)).rejects.toThrow(/missing \(http:.*: the server answered 404 Not Found\); put the file into/);
  expect(ranges).toHaveLength(1);
});

test('goes on without weights that are not required, after one try', async () => {
  const { url, ranges } = await serve((_request, response) => response.writeHead(503).end());
  const { model } = await modelWith({ url, sha256: HASH, required: false });
  const { lines, tell } = listen();
  await provideWeights(model, tell, never);
  expect(ranges).toHaveLength(1);
  expect(lines.at(-1)).toMatch(/small\.onnx are not there .*503.*going on without them$/);
});

test('fetches anew what was fetched when the manifest named another hash, and leaves files elsewhere alone', async () => {
  const { url, ranges } = await serve(whole);
  const { model, fetched } = await modelWith({ url, sha256: HASH });
  await writeTree(fetched, { 'small.onnx': 'older' });
  const { tell, count } = listen();
  await provideWeights(model, tell, never);
  expect((await readFile(join(fetched, 'small.onnx'))).equals(BYTES)).toBe(true);
  expect(await readFile(join(fetched, 'small.onnx.old'), 'utf8')).toBe('older');
  expect(count('was not the file with the sha256 that the manifest names, so it is now small.onnx.old')).toBe(1);
  await provideWeights(model, tell, never);
  expect(ranges).toHaveLength(1);

  const other = await modelWith({ url, sha256: HASH });
  await writeTree(other.root, { 'mine/small.onnx': 'my own' });
  await provideWeights(other.model, () => undefined, never);
  expect(await readdir(join(other.root, 'mine'))).toEqual(['small.onnx']);
  expect(ranges).toHaveLength(1);
});

test.for([true, false])('puts a file of another hash aside only once its successor is there (required: %s)', async (required) => {
  const { url, ranges } = await serve((_request, response) => response.writeHead(404).end(), (_request, response) => response.writeHead(200).end('nonsense'), whole);
  const { model, fetched } = await modelWith({ url, sha256: HASH, required });
  await writeTree(fetched, { 'small.onnx': 'my own', 'small.onnx.old': 'older' });
  const { tell, count } = listen();
  for (const why of ['404 Not Found', `not ${HASH}`]) {
    await provideWeights(model, tell, never);
    expect(await readFile(join(fetched, 'small.onnx'), 'utf8')).toBe('my own');
    expect((await readdir(fetched)).sort()).toEqual(['small.onnx', 'small.onnx.old']);
    expect(count(why)).toBeGreaterThan(0);
  }
  expect(count('which cannot be had')).toBe(2);
  await provideWeights(model, tell, never);
  expect((await readFile(join(fetched, 'small.onnx'))).equals(BYTES)).toBe(true);
  expect(await readFile(join(fetched, 'small.onnx.old'), 'utf8')).toBe('older');
  expect(await readFile(join(fetched, 'small.onnx.old2'), 'utf8')).toBe('my own');
  expect(ranges).toHaveLength(3);
});

test('names weights that are none before anything is started with them', async () => {
  const { model, root } = await modelWith({ file: '*.onnx', required: false });
  const wrong = {
    'version https://git-lfs.github.com/spec/v1\noid sha256:69\nsize 3660092\n': 'are a Git LFS pointer, not the weights; fetch them with `git lfs pull`',
    '': 'are an empty file; put the real one there',
    '\n<!DOCTYPE html><html>': 'are a web page, not the weights',
  };
  for (const [content, why] of Object.entries(wrong)) {
    await writeTree(root, { 'mine/b.onnx': content, 'm/a.onnx': 'good', 'mine/b.onnx.old': '' });
    const said = `the weights ${join(root, 'mine/b.onnx')} ${why}`;
    await expect(provideWeights(model, () => undefined, never)).rejects.toMatchObject({ code: 'model_unavailable', message: expect.stringContaining(`model sample: ${said}`) as string });
    expect(await missingWeights(model)).toContain(said);
  }
});

test.skipIf(process.platform !== 'linux')('names weights that cannot be read, or looked for, as that model\'s own trouble', async () => {
  const { model, root } = await modelWith({});
  const refusal = async (): Promise<string> => {
    const said = await missingWeights(model) ?? '';
    await expect(provideWeights(model, () => undefined, never)).rejects.toMatchObject({ code: 'model_unavailable', message: `model sample: ${said}` });
    return said;
  };
  await writeTree(root, { 'm/detector.py': '', 'mine/x': '' });
  // Nobody may read it, root neither.
  await symlink('/proc/self/clear_refs', join(root, 'mine/small.onnx'));
  expect(await refusal()).toMatch(`the weights ${join(root, 'mine/small.onnx')} cannot be read: E`);
  expect(await refusal()).toMatch(/; let Lookout's user read them$/);
  expect([...(await modelFiles(model)).files.keys()]).toContain(join(root, 'mine/small.onnx'));
  await rm(join(root, 'mine'), { recursive: true });
  await writeFile(join(root, 'mine'), '');
  expect(await refusal()).toMatch(`the weights in ${join(root, 'mine')} cannot be read: ENOTDIR`);
});

test.skipIf(process.platform !== 'linux')('names fetched weights of which it cannot be told whether they are the right ones', async () => {
  const { model, fetched } = await modelWith({ url: 'http://127.0.0.1:9/small.onnx', sha256: HASH });
  await mkdir(fetched, { recursive: true });
  await symlink('/proc/self/clear_refs', join(fetched, 'small.onnx'));
  await expect(provideWeights(model, () => undefined, never)).rejects.toMatchObject({ code: 'model_unavailable', message: expect.stringContaining('cannot be read') as string });
});

test('does not ask the network for weights that are not required when there are others', async () => {
  const { url, ranges } = await serve(whole);
  const { model, root } = await modelWith({ url, sha256: HASH, required: false });
  const choosy = { ...model, weights: [...model.weights, { file: '*.onnx', url: null, sha256: null, required: false }] };
  await writeTree(root, { 'mine/own.onnx': 'my own' });
  await provideWeights(choosy, () => undefined, never);
  expect(ranges).toEqual([]);
});

test('does not wait long for a server that never answers, when the weights are not required', async () => {
  const { url } = await serve(() => undefined);
  const { model } = await modelWith({ url, required: false });
  const began = Date.now();
  await provideWeights(model, () => undefined, never);
  expect(Date.now() - began).toBeLessThan(8_000);
});

test('stops within a second when it is cancelled, and keeps what has come', async () => {
  const { url } = await serve((_request, response) => {
    response.writeHead(200, { 'content-length': BYTES.length });
    response.write(BYTES.subarray(0, 1000));
  });
  const { model, fetched } = await modelWith({ url, sha256: HASH });
  const controller = new AbortController();
  const failed = provideWeights(model, (line) => {
    if (line.endsWith('%')) controller.abort(new Error('enough'));
  }, controller.signal);
  const began = Date.now();
  await expect(failed).rejects.toThrow('enough');
  expect(Date.now() - began).toBeLessThan(1_500);
  expect(await readdir(fetched)).toEqual(['small.onnx.part']);
});

test('stops within a second also while it reads weights that are there', async () => {
  const { model, fetched } = await modelWith({ url: 'http://127.0.0.1:9/small.onnx', sha256: HASH });
  await writeTree(fetched, { 'small.onnx': '' });
  await truncate(join(fetched, 'small.onnx'), 4 * 1024 ** 4);
  const controller = new AbortController();
  const failed = provideWeights(model, () => undefined, controller.signal);
  setTimeout(() => { controller.abort(new Error('enough')); }, 100);
  const began = Date.now();
  await expect(failed).rejects.toThrow('enough');
  expect(Date.now() - began).toBeLessThan(1_500);
});

test('fetches once for two who ask at the same time', async () => {
  const { url, ranges } = await serve(whole);
  const { model } = await modelWith({ url, sha256: HASH });
  await Promise.all([provideWeights(model, () => undefined, never), provideWeights(model, () => undefined, never)]);
  expect(ranges).toHaveLength(1);
});
