/** Names whose servers are silent beside others: with the system's own resolver, a name server of the test's, and a file of hosts. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { leashed } from '../../src/lib/leash.ts';

const CODE = pathToFileURL(join(import.meta.dirname, '../../dist/lib/names.js')).href;
const SERVER = '127.0.53.53';
const MUTE = '127.0.53.54';
/** Its own /etc, and nobody else's. */
const mayMount = spawnSync('unshare', ['-m', 'mount', '--bind', '/etc/hosts', '/etc/resolv.conf'], { stdio: 'ignore' }).status === 0;

/** Knows names that begin with good, and says nothing of others until it is told to. */
const BEGINNING = `
import { createSocket } from 'node:dgram';
import { addressesOf } from '${CODE}';
let isAlive = false;
const listen = async (address, told) => {
  const socket = createSocket('udp4');
  socket.on('message', told(socket));
  await new Promise((resolve) => socket.bind(53, address, resolve));
  return socket;
};
const server = await listen('${SERVER}', (socket) => (message, { port, address }) => {
  let end = 12;
  const labels = [];
  for (; message[end] !== 0; end += message[end] + 1) labels.push(message.toString('latin1', end + 1, end + 1 + message[end]));
  if (!labels[0].startsWith('good') && !isAlive) return;
  const isFour = message.readUInt16BE(end + 1) === 1;
  const answer = Buffer.from(message.subarray(0, end + 5));
  answer.writeUInt16BE(0x8180, 2);
  answer.writeUInt16BE(isFour ? 1 : 0, 6);
  answer.writeUInt32BE(0, 8);
  socket.send(isFour ? Buffer.concat([answer, Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 127, 0, 0, 8])]) : answer, port, address);
});
const found = async (name) => {
  const began = performance.now();
  const [{ address }] = await addressesOf(name);
  return { address, ms: performance.now() - began };
};
`;

const DEAD = `${BEGINNING}
const first = await found('near.test');
let ended = 0;
const dead = Array.from({ length: 20 }, (_, index) => 'dead' + index + '.test');
const late = dead.map((name) => found(name).then(() => 'found', (error) => error.code).finally(() => { ended += 1; }));
const isSame = addressesOf('dead0.test') === addressesOf('dead0.test');
// They are known for what they are.
await new Promise((resolve) => setTimeout(resolve, 4000));
const beside = [await found('good.test'), await found('near.test')];
const endedBeside = ended;
isAlive = true;
const began = performance.now();
await Promise.all(late);
const recovery = performance.now() - began;
const again = await Promise.all(dead.map(found));
console.log(JSON.stringify({ first, isSame, beside, endedBeside, recovery, again: again.map(({ address }) => address) }));
server.close();
`;

const SECOND = `${BEGINNING}
const silent = await listen('${MUTE}', () => () => undefined);
const times = [];
for (let time = 0; time < 2; time += 1) times.push(await Promise.all(['good0.test', 'good1.test', 'good2.test', 'good3.test'].map(found)));
console.log(JSON.stringify(times));
server.close();
silent.close();
`;

interface Found {
  readonly address: string;
  readonly ms: number;
}

interface Seen {
  readonly first: Found;
  readonly isSame: boolean;
  readonly beside: readonly Found[];
  readonly endedBeside: number;
  readonly recovery: number;
  readonly again: readonly string[];
}

/** What the script prints, with an /etc of its own. */
async function run(script: string, nameservers: readonly string[]): Promise<unknown> {
  const folder = await mkdtemp(join(tmpdir(), 'lookout-names-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const files = { 'resolv.conf': nameservers.map((server) => `nameserver ${server}\n`).join(''), hosts: '127.0.0.7 near.test\n', 'script.mjs': script };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const mount = 'for file in resolv.conf hosts; do mount --bind "$1/$file" "/etc/$file" || exit; done; exec "$2" "$1/script.mjs"';
  const { file, args } = leashed('unshare', ['-m', 'sh', '-c', mount, 'sh', folder, process.execPath]);
  return JSON.parse((await promisify(execFile)(file, args, { timeout: 100_000 })).stdout);
}

describe.skipIf(!mayMount)('names (needs leave to mount)', () => {
  it('of which no name server tells are asked about one after the other, and others meanwhile', async () => {
    const seen = await run(DEAD, [SERVER]) as Seen;
    expect(seen).toMatchObject({ first: { address: '127.0.0.7' }, isSame: true, beside: [{ address: '127.0.0.8' }, { address: '127.0.0.7' }] });
    expect(seen.endedBeside).toBeLessThan(5);
    // Each of the twenty takes the system ten seconds.
    for (const { ms } of seen.beside) expect(ms).toBeLessThan(5000);
    // The one that is being asked about now is asked about again by the system, which waits five seconds between.
    expect(seen.recovery).toBeLessThan(30_000);
    expect(new Set(seen.again)).toEqual(new Set(['127.0.0.8']));
  });

  it('are found all at once where the first name server is silent', async () => {
    const times = await run(SECOND, [MUTE, SERVER]) as readonly (readonly Found[])[];
    expect(new Set(times.flat().map(({ address }) => address))).toEqual(new Set(['127.0.0.8']));
    // By the system five seconds each, two at a time.
    for (const { ms } of times.flat()) expect(ms).toBeLessThan(5000);
  });
});
