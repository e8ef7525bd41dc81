/** Listens on an address, or says in words why that cannot be and what to do. */
import type { Server } from 'node:http';
import { LookoutError } from '../errors.ts';
import { ownAddresses } from '../lib/loopback.ts';
import { bracketed } from './guard.ts';

/** Throws `listen_failed`. */
export async function listen(server: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => {
      reject(new LookoutError('listen_failed', `Cannot listen on ${bracketed(host)}:${port}: ${whyNot(error)}.`, { cause: error }));
    };
    server.once('error', fail);
    server.listen(port, host.replace(/^\[|\]$/g, ''), () => {
      server.off('error', fail);
      resolve();
    });
  });
}

export function whyNot({ code = '', message }: NodeJS.ErrnoException): string {
  return CAUSES[code]?.() ?? message;
}

const unknownName = (): string => 'no address is known for that name; choose an address of this machine with --host, e.g. 127.0.0.1';

/** By the system's code. */
const CAUSES: Readonly<Record<string, () => string>> = {
  EADDRINUSE: () => 'another program uses it, perhaps a Lookout that runs already; stop that one, or choose another port with --port',
  EACCES: () => 'this user may not use that port; choose one from 1024 on with --port, and let a reverse proxy have the low one',
  EADDRNOTAVAIL: () => `this machine has no such address; choose one of its own with --host: ${ownAddresses().join(', ')}, or 0.0.0.0 for all`,
  ENOTFOUND: unknownName,
  EAI_AGAIN: unknownName,
  EAFNOSUPPORT: () => 'this machine has no addresses of that kind; choose another with --host, e.g. 127.0.0.1 where there is no IPv6',
  EINVAL: () => 'the address is not whole; one that begins with fe80 needs its network interface, e.g. fe80::1%eth0',
};
