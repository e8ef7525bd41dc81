/** This machine's own addresses, which of them are reached from it alone, and whom Lookout lets in. */
import { networkInterfaces } from 'node:os';

export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i.test(host);
}

/** Others than whoever works on this machine: another one, or models, which ask from here and `runner_user` keeps from what is Lookout's. */
export function letsOthersIn({ host, runner_user }: { readonly host: string; readonly runner_user: string | null }): boolean {
  return !isLoopback(host) || runner_user !== null;
}

/** They change while Lookout runs. */
export function ownAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((own = []) => own.map(({ address }) => address));
}
