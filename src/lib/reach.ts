/** Where a stranger's address may lead: not to what this machine keeps for itself, nor to what its cloud tells it alone. */
import { BlockList, isIP } from 'node:net';
import { LookoutError } from '../errors.ts';
import { untilAborted } from './abort.ts';
import { linked } from './linked.ts';
import { letsOthersIn, ownAddresses } from './loopback.ts';
import { addressesOf, type Address } from './names.ts';

/** What Lookout listens on, whom it answers, and which hosts are meant whatever they are. */
export interface Bounds {
  readonly port: number;
  /** Whoever asks may have come from elsewhere. */
  readonly fromElsewhere: boolean;
  /** Names, addresses, and networks such as 10.0.0.0/8. */
  readonly allow_hosts: readonly string[];
}

/** The settings that say so. */
export interface Reachable {
  readonly host: string;
  readonly port: number;
  readonly runner_user: string | null;
  readonly token: string | null;
  readonly allowed_hosts: readonly string[];
  readonly allow_hosts: readonly string[];
}

export interface Place {
  /** `rtsp`, in small letters. */
  readonly scheme: string;
  /** As an address has it: brackets, a dot at the end and odd ways to write numbers are understood. */
  readonly hostname: string;
  readonly port: number;
}

/** Less than connecting may take: why there is no connection is to be told. */
const NAME_MS = 8000;

/** Clouds tell secrets there to whoever asks from the machine; routers and cameras without an address of their own live there too. */
const METADATA = listOf('169.254.0.0/16', '100.100.100.200', '192.0.0.192', '168.63.129.16', 'fe80::/10', 'fd00:ec2::254', 'fd20:ce::254');
const LOOPBACK = listOf('127.0.0.0/8', '0.0.0.0/8', '::1', '::');
const METADATA_NAME = /^(metadata|instance-data)(\.|$)/;

/** On 127.0.0.1 a token, or a name to be called by, is set for those who come by a proxy. */
export function boundsOf({ host, port, runner_user, token, allowed_hosts, allow_hosts }: Reachable): Bounds {
  return { port, fromElsewhere: letsOthersIn({ host, runner_user }) || token !== null || allowed_hosts.length > 0, allow_hosts };
}

/**
 * The addresses to connect to, and nothing else than these: a name may mean another one the next time. `bounds`: null for
 * an address that nobody sent over HTTP. Throws `forbidden_address`, or `stream_connect` where the name is unknown.
 */
export async function reach(place: Place, bounds: Bounds | null, signal: AbortSignal): Promise<readonly [Address, ...Address[]]> {
  signal.throwIfAborted();
  if (bounds) refuseAtOnce(place, bounds);
  const hostname = canonical(place.hostname);
  const family = isIP(hostname);
  const [first, ...others] = family === 0 ? await find(hostname, signal) : [{ address: hostname, family }];
  if (!first) throw unknown(hostname, 'it has no address');
  const found = [first, ...others] as const;
  if (bounds) for (const { address } of found) refuse({ ...place, hostname }, address, bounds);
  return found;
}

/** What can be said of an address before anybody asks what its name means. Throws `forbidden_address`. */
export function refuseAtOnce(place: Place, bounds: Bounds): void {
  const hostname = canonical(place.hostname);
  if (isIP(hostname) !== 0) refuse({ ...place, hostname }, hostname, bounds);
  else if (hostname === 'localhost' || hostname.endsWith('.localhost')) refuse({ ...place, hostname }, '127.0.0.1', bounds);
  else if (METADATA_NAME.test(hostname) && !isAllowed(hostname, hostname, bounds)) throw forbidden({ ...place, hostname }, hostname, IS_METADATA);
}

const IS_METADATA = 'link-local addresses, at which clouds tell their machines secrets, are not for streams started over HTTP';

function refuse(place: Place, address: string, bounds: Bounds): void {
  if (isAllowed(place.hostname, address, bounds)) return;
  const plain = embedded(address);
  if (isIn(METADATA, plain)) throw forbidden(place, address, IS_METADATA);
  const isHere = isIn(LOOPBACK, plain);
  if (place.port === bounds.port && (isHere || ownAddresses().includes(plain))) throw forbidden(place, address, 'Lookout itself is there');
  if (isHere && /^https?$/.test(place.scheme) && bounds.fromElsewhere) {
    throw forbidden(place, address, 'what this machine serves to itself over HTTP is not for others, who reach Lookout as host, token, runner_user or allowed_hosts are set');
  }
}

function forbidden({ hostname, port }: Place, address: string, why: string): LookoutError {
  const means = address === hostname ? '' : ` (${address})`;
  return new LookoutError('forbidden_address', `${hostname}${means}, port ${port}, may not be opened: ${why}; the setting allow_hosts opens it`);
}

function unknown(hostname: string, why: string): LookoutError {
  return new LookoutError('stream_connect', `the camera could not be reached: no address is known for ${hostname}: ${why}`);
}

async function find(hostname: string, signal: AbortSignal): Promise<readonly Address[]> {
  const patience = linked(signal);
  const timer = setTimeout(() => { patience.abort(new Error('no name server answers')); }, NAME_MS);
  try {
    return await untilAborted(addressesOf(hostname), patience.signal);
  } catch (error) {
    signal.throwIfAborted();
    throw unknown(hostname, error instanceof Error ? error.message : String(error));
  } finally {
    clearTimeout(timer);
    patience.release();
  }
}

/** `[::1]`, `localhost.` and 2130706433 as what they mean: an address in the usual way, or a name in small letters. */
function canonical(hostname: string): string {
  const bare = hostname.replace(/^\[|\]$/g, '').replace(/\.+$/, '').toLowerCase();
  if (isIP(bare) !== 0) return bare;
  const read = URL.canParse(`http://${bare}/`) ? new URL(`http://${bare}/`).hostname : bare;
  return isIP(read) === 0 ? bare : read;
}

/** The IPv4 address within one of IPv6 that leads to it (mapped, compatible, NAT64, 6to4); the address itself otherwise. */
function embedded(address: string): string {
  if (isIP(address) !== 6) return address;
  const [host] = address.split('%');
  const groups = groupsOf(host ?? '');
  const is = (...start: readonly number[]): boolean => start.every((group, index) => groups[index] === group);
  const dotted = (high = 0, low = 0): string => [high >> 8, high & 255, low >> 8, low & 255].join('.');
  if (is(0, 0, 0, 0, 0, 0xffff) || is(0x64, 0xff9b) || (is(0, 0, 0, 0, 0, 0) && (groups[6] ?? 0) > 0)) return dotted(groups[6], groups[7]);
  return is(0x2002) ? dotted(groups[1], groups[2]) : host ?? address;
}

/** Eight numbers. */
function groupsOf(address: string): readonly number[] {
  const [left = '', right] = new URL(`http://[${address}]/`).hostname.replace(/^\[|\]$/g, '').split('::').map((part) => part.split(':').filter((group) => group !== ''));
  const [before, after] = [left === '' ? [] : left, right ?? []];
  return [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after].map((group) => parseInt(group, 16));
}

function isAllowed(hostname: string, address: string, { allow_hosts }: Bounds): boolean {
  const plain = embedded(address);
  return allow_hosts.some((one) => (one.includes('/') ? isIn(listOf(one), plain) : [hostname, address, plain].includes(canonical(one))));
}

function isIn(list: BlockList, address: string): boolean {
  const family = isIP(address);
  return family !== 0 && list.check(address.replace(/%.*$/, ''), family === 6 ? 'ipv6' : 'ipv4');
}

function listOf(...networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    list.addSubnet(address, bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits), family);
  }
  return list;
}

/** Whether a setting may name this: a host, an address, a network. */
export function isHostOrNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  if (bits === undefined) return /^[^\s/:@]+$/.test(text) || isIP(text.replace(/^\[|\]$/g, '')) !== 0;
  const family = isIP(address);
  return more.length === 0 && family !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 6 ? 128 : 32);
}
