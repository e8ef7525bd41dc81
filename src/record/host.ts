/** The address by which this host is reached, as records name it. */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';
import { networkInterfaces } from 'node:os';

import type { Log } from '../lib/log.ts';

export type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

export interface HostAddress {
  /** null when the host has none; looked up again at most once a minute, for addresses come and go. */
  readonly current: () => string | null;
}

const FRESH_MS = 60_000;

export function createHostAddress({ setting, log, monotonic = () => performance.now(), look = lookUp }: {
  /** As the setting host_ip. */
  readonly setting: string;
  readonly log: Log;
  /** Milliseconds that only go on. */
  readonly monotonic?: () => number;
  readonly look?: (setting: string) => string | null;
}): HostAddress {
  let known: { readonly address: string | null; readonly at: number } | null = null;
  let warned = false;
  return {
    current() {
      if (known !== null && monotonic() - known.at < FRESH_MS) return known.address;
      known = { address: look(setting), at: monotonic() };
      if (known.address === null && !warned) {
        warned = true;
        log.warn(`records have no IP: host_ip ${setting} names no address that others could reach; set host_ip to an address or interface`);
      }
      return known.address;
    },
  };
}

function lookUp(setting: string): string | null {
  return chooseAddress(setting, networkInterfaces(), defaultInterface(readRoutes()));
}

/** Of an interface named: its own. Of `auto`: the default route's interface first, IPv4 before IPv6. Never a loopback. */
export function chooseAddress(setting: string, interfaces: Interfaces, preferred: string | null): string | null {
  if (setting !== 'auto' && !Object.hasOwn(interfaces, setting)) return isOwnWord(setting) ? setting : null;
  const names = setting === 'auto' ? Object.keys(interfaces).sort((a, b) => Number(b === preferred) - Number(a === preferred)) : [setting];
  const routable = names.flatMap((name) => interfaces[name] ?? []).filter((info) => !info.internal && !isLocal(info.address));
  const chosen = routable.find(({ family }) => family === 'IPv4') ?? routable.find(({ family }) => family === 'IPv6');
  return chosen?.address ?? null;
}

/** The interface of the default route with the lowest metric, from the text of Linux' /proc/net/route. */
export function defaultInterface(routes: string): string | null {
  const defaults = routes
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1] === '00000000' && fields[7] === '00000000')
    .sort((a, b) => Number(a[6]) - Number(b[6]));
  return defaults[0]?.[0] ?? null;
}

function readRoutes(): string {
  try {
    return readFileSync('/proc/net/route', 'utf8');
  } catch {
    // Only Linux has it; elsewhere the first interface is as good as any.
    return '';
  }
}

/** An address or a host name, as opposed to an interface that is not there (`eth0.100` has no letters after its dot). */
function isOwnWord(setting: string): boolean {
  return isIP(setting) === 0 ? /\.[a-z][a-z0-9-]*$/i.test(setting) : !isLocal(setting);
}

/** Loopback and link-local addresses mean something else, or nothing, on every other machine. */
function isLocal(address: string): boolean {
  return /^(127\.|169\.254\.|0\.0\.0\.0$|::1?$|::ffff:127\.|fe[89ab])/i.test(address);
}
