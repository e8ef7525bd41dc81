/** This machine's own addresses, and which of them are reached from it alone. */
import { networkInterfaces } from 'node:os';

export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i.test(host);
}

/** They change while Lookout runs. */
export function ownAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((own = []) => own.map(({ address }) => address));
}
