/** What could end a process, in one of its own: broken pictures by the hundred, and memory that is not given back. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileSources, type Compiled } from '../../../helpers/compiled.ts';
import { inFull, tellFigure } from '../../../promises/figures.ts';
import { hasLibav, makeClip } from './clips.ts';

const [BROKEN, STILLS] = inFull ? [20_000, 4000] : [150, 200];
/** Megabytes; one picture that stays each time would be 11 in the short form. */
const MOST_GROWN = 8;

/** Broken in every way that a network, a camera or an attacker has: the same ones at each run. */
const BREAK = `
import { readFileSync } from 'node:fs';
import { decodeStill } from './sources/feeds/native/still.js';
import { openFollower } from './sources/feeds/native/follower.js';
const [codec, file, sets, rounds] = process.argv.slice(2);
const [whole, head] = [readFileSync(file), Number(sets)];
let seed = 7;
const below = (limit) => { seed = (seed * 1103515245 + 12345) % 2147483648; return Math.floor(seed / 2147483648 * limit); };
function broken() {
  const bytes = Buffer.from(whole);
  const from = below(3) === 0 ? 0 : head;
  const at = from + below(bytes.length - from);
  switch (below(6)) {
    case 0: bytes[at] ^= 1 << below(8); return bytes;
    case 1: for (let i = 0; i < 20; i++) bytes[from + below(bytes.length - from)] = below(256); return bytes;
    case 2: return bytes.subarray(0, at);
    case 3: return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + below(1400))]);
    case 4: return bytes.fill(below(256), at, Math.min(bytes.length, at + below(3000)));
    default: return Buffer.concat([bytes.subarray(0, at), bytes]);
  }
}
const counts = { shown: 0, none: 0, refused: 0 };
const count = (error) => { if (error.code !== 'stream_codec' && error.code !== 'bad_frame') throw error; counts.refused += 1; };
for (let i = 0; i < Number(rounds); i++) {
  await decodeStill(codec, broken(), { quality: 50, maxWidth: i % 2 ? 64 : null }, () => {}).then((still) => { counts[still ? 'shown' : 'none'] += 1; }, count);
}
const follower = await openFollower(codec, Buffer.alloc(0), 'none', () => {});
for (let i = 0; i < Number(rounds); i++) {
  for (const picture of await follower.push(broken(), i).catch((error) => { count(error); return []; })) picture.free();
}
await follower.close();
console.log(JSON.stringify(counts));
`;

/**
 * Says how much the process grew, in megabytes, after it has warmed up: each of the pool's threads keeps a little. The pages of
 * the program itself are left out, of which more come when V8 optimizes.
 */
const REPEAT = `
import { readFileSync } from 'node:fs';
import { decodeStill } from './sources/feeds/native/still.js';
const [codec, file, rounds] = process.argv.slice(2);
const bytes = readFileSync(file);
const grow = async (count) => {
  for (let i = 0; i < count; i += 2) await Promise.all([0, 1].map((n) => decodeStill(codec, n && i % 3 ? bytes.subarray(0, bytes.length / 2) : bytes, { quality: 95, maxWidth: i % 4 ? null : 100 }, () => {})));
  globalThis.gc();
  return Number(/^RssAnon:\\s*(\\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1000;
};
const before = await grow(200);
console.log((await grow(Number(rounds))) - before);
`;

describe.skipIf(!hasLibav)('libav in a process (missed where the binary of node-av is absent)', () => {
  let compiled: Compiled;
  beforeAll(async () => {
    compiled = await compileSources('sources/feeds/native');
    await Promise.all([writeFile(join(compiled.folder, 'break.js'), BREAK), writeFile(join(compiled.folder, 'repeat.js'), REPEAT)]);
  });
  afterAll(async () => {
    await compiled.remove();
  });

  async function run(script: string, ...args: readonly string[]): Promise<unknown> {
    const child = spawn(process.execPath, ['--expose-gc', join(compiled.folder, script), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const [out, complaints] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    expect({ code: child.exitCode, signal: child.signalCode, complaints }).toEqual({ code: 0, signal: null, complaints: '' });
    return JSON.parse(out);
  }

  const CLIPS = { h264: ['-g', '1', '-x264-params', 'slices=3'], h265: ['-x265-params', 'log-level=none:pools=none:keyint=1'], jpeg: ['-pix_fmt', 'yuvj420p'] } as const;

  it.each(['h264', 'h265', 'jpeg'] as const)(`survives ${BROKEN} broken pictures of %s`, { timeout: 600_000 }, async (codec) => {
    const clip = await makeClip(codec, 'testsrc2=s=192x112,noise=alls=5:all_seed=1', 1, CLIPS[codec]);
    const file = join(compiled.folder, `broken.${codec}`);
    await writeFile(file, clip.bytes);
    const { shown, none, refused } = await run('break.js', codec, file, String(clip.parameterSets.length), String(BROKEN)) as Record<string, number>;
    expect((shown ?? 0) + (none ?? 0) + (refused ?? 0)).toBeGreaterThanOrEqual(BROKEN);
    expect(none).toBeGreaterThan(BROKEN / 20);
    tellFigure('broken', `${2 * BROKEN} of ${codec}: the process lives`);
  });

  it.each(['h264', 'h265'] as const)(`needs no more memory after ${STILLS} stills of %s`, { timeout: 600_000 }, async (codec) => {
    const clip = await makeClip(codec, 'testsrc2=s=256x144,noise=alls=5:all_seed=1', 1, CLIPS[codec]);
    const file = join(compiled.folder, `repeated.${codec}`);
    await writeFile(file, clip.bytes);
    const grown = Number(await run('repeat.js', codec, file, String(STILLS)));
    expect(grown).toBeLessThan(MOST_GROWN);
    tellFigure('broken', `memory after ${STILLS} whole and halved pictures of ${codec}: ${grown.toFixed(1)} MB more`);
  });
});
