/** `lookout doctor --url`: how a server is that runs, seen from outside, what is wrong with it, and what to do. */
import { isObject } from '../lib/objects.ts';
import { version as ours } from '../lib/package.ts';
import type { Balance, ModelStatus, PartStatus, StorageStatus, StreamStatus } from '../types.ts';
import { tellChecks, type Check } from './checks.ts';
import type { CommandContext } from './context.ts';
import { judge } from './judge.ts';
import { asker, baseOf, messageOf, tokenOf, whyNot, type Ask } from './running-server.ts';

/** 1: it does not work, or nothing of it can be learnt. */
export async function doctorOfServer(context: CommandContext, address: string, tokenFile: string | null): Promise<number> {
  return tellChecks(await examineServer(context, address, tokenFile), 'wrong');
}

/** Throws `bad_request` for what cannot be an address or a token. */
export async function examineServer({ flags, signal }: CommandContext, address: string, tokenFile: string | null): Promise<readonly Check[]> {
  const base = baseOf(address);
  const ask = asker(base, await tokenOf(tokenFile, flags), signal);
  const checks: Check[] = [];
  try {
    checks.push(...await greet(ask, base));
    if (checks.every(({ ok, needed }) => ok || !needed)) checks.push(...await examine(ask));
  } catch (error) {
    signal.throwIfAborted();
    checks.push({ name: 'server', ok: false, needed: true, found: `${base.origin}: ${whyNot(error)}`, mend: 'see that it runs and listens there (--host), and that no firewall stands between' });
  }
  return checks;
}

/** What is at that address, and whether it lets us in. */
async function greet(ask: Ask, base: URL): Promise<readonly Check[]> {
  const { status, body } = await ask('healthz');
  if (status === 403) return [{ name: 'server', ok: false, needed: true, found: messageOf(body), mend: 'ask by its address, name this host in its allowed_hosts, or give it a token' }];
  const theirs = body['version'];
  if (status !== 200 || body['status'] !== 'ok' || typeof theirs !== 'string') {
    return [{ name: 'server', ok: false, needed: true, found: `${base.href} answers ${status}, and not as Lookout does`, mend: 'give the address of its page, with the path of a reverse proxy' }];
  }
  const there: Check = { name: 'server', ok: true, needed: true, found: `Lookout ${theirs} at ${base.href}`, mend: '' };
  const same: Check = { name: 'version', ok: theirs === ours, needed: false, found: theirs === ours ? ours : `${theirs}, and this is ${ours}`, mend: 'examine it with the version that it runs' };
  const refused = await ask('readyz');
  if (refused.status === 200 || refused.status === 503) return [there, same];
  const mend = refused.status === 401 ? 'give the file of its token with --token-file, or LOOKOUT_TOKEN' : 'see its log';
  return [there, same, { name: 'token', ok: false, needed: true, found: messageOf(refused.body), mend }];
}

async function examine(ask: Ask): Promise<readonly Check[]> {
  const [ready, streams, models] = await Promise.all([ask('readyz'), ask('api/streams'), ask('api/models')]);
  const found = {
    parts: ready.body['parts'] as readonly PartStatus[],
    storage: ready.body['storage'] as readonly StorageStatus[],
    streams: streams.body['streams'] as readonly StreamStatus[],
    books: streams.body['books'] as Balance,
    models: models.body['models'] as readonly ModelStatus[],
  };
  const strange = Object.entries(found).filter(([, value]) => !isObject(value) && !Array.isArray(value)).map(([name]) => name);
  if (strange.length === 0) return judge(found, streams.at);
  return [{ name: 'answers', ok: false, needed: true, found: `it tells nothing of its ${strange.join(', ')}`, mend: 'examine it with the version that it runs' }];
}
