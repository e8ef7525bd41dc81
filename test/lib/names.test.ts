/** Names whose servers are silent beside others: with the system's own resolver, a name server of the test's, and a file of hosts. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { leashed } from '../../src/lib/leash.ts';

const built = (name: string): string => pathToFileURL(join(import.meta.dirname, '../../dist', `${name}.js`)).href;
/** Its own /etc, and nobody else's. */
const mayMount = spawnSync('unshare', ['-m', 'mount', '--bind', '/etc/hosts', '/etc/resolv.conf'], { stdio: 'ignore' }).status === 0;

/** Knows names that begin with good, and says nothing of others until it is told to. */
const BEGINNING = `
import { createSocket } from 'node:dgram';
import { addressesOf } from '${built('lib/names')}';
let isAlive = false;
const listen = async (address, told) => {
  const socket = createSocket('udp4');
  socket.on('message', told(socket));
  await new Promise((resolve) => socket.bind(53, address, resolve));
  return socket;
};
const nameservers = process.argv.slice(2);
const server = await listen(nameservers.at(-1), (socket) => (message, { port, address }) => {
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
const silent = await listen(nameservers[0], () => () => undefined);
const times = [];
for (let time = 0; time < 2; time += 1) times.push(await Promise.all(['good0.test', 'good1.test', 'good2.test', 'good3.test'].map(found)));
console.log(JSON.stringify(times));
server.close();
silent.close();
`;

const FOLLOWED = `${BEGINNING}
import { createPoster } from '${built('followers/webhook/post')}';
import { openBucket } from '${built('followers/s3/bucket')}';
import { connectTo } from '${built('followers/mqtt/connection')}';
import { connect } from '${built('followers/postgres/connection')}';
import { dialInWords } from '${built('sources/network/dial')}';
const leave = new AbortController();
const limits = { timeout_seconds: 5, ca: null, tls: 'off' };
const places = {
  webhook: (host) => createPoster({ origin: host, authorization: null }, 5, String).post(new URL('http://' + host), Buffer.from(''), () => ({}), leave.signal),
  mqtt: (host) => connectTo({ ...limits, url: 'mqtt://' + host, username: null, password: null, qos: 1 }, { clientId: 'a', available: null }, leave.signal),
  s3: (host) => openBucket({ ...limits, endpoint: 'http://' + host, region: 'a', bucket: 'a', key: '{id}', path_style: true, access_key_id: 'key', secret_access_key: 'secret', session_token: null }).test(leave.signal),
  postgres: (host) => connect({ host, port: 1, database: 'a', user: 'a', password: '' }, limits, leave.signal),
};
await found('near.test');
await found('both.test');
const tries = Object.entries(places).flatMap(([type, open]) => [0, 1, 2].map((index) => open('dead-' + type + index + '.test').then(() => 'reached', (error) => error.message)));
// They are known for what they are.
await new Promise((resolve) => setTimeout(resolve, 4000));
const { ms } = await found('good.test');
const told = await Promise.all(tries);
const near = await Promise.all(Object.values(places).map((open) => open('near.test').then(() => 'reached', (error) => error.message)));
const both = await dialInWords({ scheme: 'rtsp', hostname: 'both.test', port: 1 }, { bounds: null, tls: 'any' }, String, leave.signal).then(() => 'reached', (error) => error.message);
console.log(JSON.stringify({ ms, told, near, both }));
process.exit();
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

/** What the script prints, with an /etc of its own; it is the last of the name servers, whose addresses no other case has. */
async function run(script: string, nameservers: readonly string[]): Promise<unknown> {
  const folder = await mkdtemp(join(tmpdir(), 'lookout-names-'));
  try {
    const files = { 'resolv.conf': nameservers.map((server) => `nameserver ${server}\n`).join(''), hosts: '127.0.0.7 near.test\n127.0.0.8 both.test\n127.0.0.9 both.test\n', 'script.mjs': script };
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    const mount = 'for file in resolv.conf hosts; do mount --bind "$1/$file" "/etc/$file" || exit; done; node=$2; script=$1/script.mjs; shift 2; exec "$node" "$script" "$@"';
    const { file, args } = leashed('unshare', ['-m', 'sh', '-c', mount, 'sh', folder, process.execPath, ...nameservers]);
    return JSON.parse((await promisify(execFile)(file, args, { timeout: 100_000 })).stdout);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe.skipIf(!mayMount).concurrent('names (needs leave to mount)', () => {
  it('of which no name server tells are asked about one after the other, and others meanwhile', async () => {
    const seen = await run(DEAD, ['127.0.53.53']) as Seen;
    expect(seen).toMatchObject({ first: { address: '127.0.0.7' }, isSame: true, beside: [{ address: '127.0.0.8' }, { address: '127.0.0.7' }] });
    expect(seen.endedBeside).toBeLessThan(5);
    // Each of the twenty takes the system ten seconds.
    for (const { ms } of seen.beside) expect(ms).toBeLessThan(5000);
    // The one that is being asked about now is asked about again by the system, which waits five seconds between.
    expect(seen.recovery).toBeLessThan(30_000);
    expect(new Set(seen.again)).toEqual(new Set(['127.0.0.8']));
  });

  it('of places that follow hold up no others', async () => {
    const { ms, told, near, both } = await run(FOLLOWED, ['127.0.53.54']) as { readonly ms: number; readonly told: readonly string[]; readonly near: readonly string[]; readonly both: string };
    // Asked by the system, each of the twelve would keep one of two threads for ten seconds.
    expect(ms).toBeLessThan(5000);
    expect(told).toHaveLength(12);
    for (const why of told) expect(why).toMatch(/no answer within|did not establish a connection|gave no answer|does not answer/);
    // Nobody listens there, at the address that the file of hosts names.
    for (const why of near) expect(why).toMatch(/ECONNREFUSED 127\.0\.0\.7/);
    expect(both).toBe('the camera could not be reached: connect ECONNREFUSED 127.0.0.8:1; connect ECONNREFUSED 127.0.0.9:1');
  });

  it('are found all at once where the first name server is silent', async () => {
    const times = await run(SECOND, ['127.0.53.55', '127.0.53.56']) as readonly (readonly Found[])[];
    expect(new Set(times.flat().map(({ address }) => address))).toEqual(new Set(['127.0.0.8']));
    // By the system five seconds each, two at a time.
    for (const { ms } of times.flat()) expect(ms).toBeLessThan(5000);
  });
});
