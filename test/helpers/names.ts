/** Names that mean what a test says, for as long as it runs: whoever asks in this process is counted. ffmpeg asks elsewhere, and learns nothing. */
import dns from 'node:dns';
import promises from 'node:dns/promises';
import { syncBuiltinESMExports } from 'node:module';
import { onTestFinished } from 'vitest';

/** The addresses that the name means, one the first time and the next the next time; the last from then on. The array that comes back has those that were told. */
export function nameMeans(name: string, ...addresses: readonly string[]): readonly string[] {
  const told: string[] = [];
  const next = (): { address: string; family: number } => {
    const address = addresses[Math.min(told.length, addresses.length - 1)] ?? '';
    told.push(address);
    return { address, family: 4 };
  };
  const before = { lookup: dns.lookup, promised: promises.lookup };
  const put = (lookup: unknown, promised: unknown): void => {
    Object.assign(dns, { lookup });
    Object.assign(promises, { lookup: promised });
    syncBuiltinESMExports();
  };
  put(
    (host: string, ...rest: readonly unknown[]) => {
      const options = rest[0] as { readonly all?: boolean } | undefined;
      if (host !== name) return Reflect.apply(before.lookup, dns, [host, ...rest]) as unknown;
      const found = next();
      const done = rest.at(-1) as (...said: readonly unknown[]) => void;
      process.nextTick(() => { if (options?.all) done(null, [found]); else done(null, found.address, found.family); });
      return {};
    },
    (host: string, options?: { readonly all?: boolean }) => {
      if (host !== name) return Reflect.apply(before.promised, promises, [host, options]) as unknown;
      const found = next();
      return Promise.resolve(options?.all ? [found] : found);
    },
  );
  onTestFinished(() => { put(before.lookup, before.promised); });
  return told;
}
