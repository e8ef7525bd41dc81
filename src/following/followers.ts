/** All followers: each of `followers:` in lookout.yaml with the logs that it follows, from start to stop. */
import { join } from 'node:path';
import { errorInfo, LookoutError } from '../errors.ts';
import type { Clock } from '../lib/clock.ts';
import { sweepTemporaries } from '../lib/files.ts';
import type { Log } from '../lib/log.ts';
import type { AppendLog, Config, ConfiguredFollower, FollowerContext, FollowerMember, FollowerStatus, Item } from '../types.ts';
import { isReview } from '../words/items.ts';
import { isLogPlace } from '../words/time.ts';
import { openAside } from './aside.ts';
import { startCourier, type Courier } from './courier.ts';
import { cursorFile } from './cursor.ts';

export interface Followers {
  statuses(): Promise<readonly FollowerStatus[]>;
  /** In words what was reached. Throws not_found, target_away. */
  test(name: string, signal: AbortSignal): Promise<string>;
  /** Throws not_found, bad_request. */
  rewind(name: string, to: string): Promise<void>;
  /** How many of those that were set aside were taken. Throws not_found, target_away. */
  retry(name: string): Promise<number>;
  close(): Promise<void>;
}

/** A log as it is followed. */
export type Followed = Pick<AppendLog<never>, 'reader' | 'onAppended' | 'heldBy'>;

export interface FollowersParts {
  readonly config: Pick<Config, 'data_dir' | 'followers' | 'followers_hold_bytes'>;
  readonly members: ReadonlyMap<string, FollowerMember>;
  readonly logs: ReadonlyMap<Item['log'], Followed>;
  readonly version: string;
  readonly picture: (item: Item) => Promise<Uint8Array | null>;
  readonly clip: (item: Item) => string | null;
  readonly lookout: FollowerContext<unknown>['lookout'];
  readonly clock: Clock;
  readonly log: Log;
}

export async function startFollowers(parts: FollowersParts): Promise<Followers> {
  const { config, logs, log } = parts;
  const stop = new AbortController();
  const couriers = new Map<string, Courier>();
  const folder = join(config.data_dir, 'followers');
  await sweepTemporaries(folder);
  try {
    for (const one of config.followers) couriers.set(one.name, await begin(one));
  } catch (error) {
    await close();
    throw error;
  }
  const all = [...couriers.values()];
  for (const [kind, own] of logs) {
    own.onAppended(() => { for (const courier of all) courier.wake(); });
    await own.heldBy({
      bytes: config.followers_hold_bytes,
      needs: (volume) => all.some((courier) => courier.needs(kind, volume)),
      gone: (volume, items) => { for (const courier of all) courier.gone(kind, volume, items); },
    });
  }

  async function begin(configured: ConfiguredFollower): Promise<Courier> {
    const { name, type, logs: kinds, events, from, pictures, aside_max_bytes, ...settings } = configured;
    const member = parts.members.get(type);
    if (!member) throw new LookoutError('config_invalid', `followers: ${name} is of the type ${type}, which there is not`);
    const { lookout, picture, clip, version } = parts;
    return startCourier({
      name, type, target: member.target(settings), pictures, from, clock: parts.clock, log,
      follower: member.create({ name, settings, version, picture, clip, lookout, log, signal: stop.signal }),
      logs: new Map(kinds.flatMap((kind) => {
        const own = logs.get(kind);
        return own ? [[kind, own.reader()] as const] : [];
      })),
      isWanted: (item) => events === 'all' || isAlert(item) || (member.takesReviews === true && isReview(item)),
      most: member.oneByOne === true ? 1 : Infinity,
      cursor: cursorFile(folder, name, (aside) => { log.warn(`${name}: its cursor could not be read, and lies at ${aside} now; it begins as a new one`); }),
      aside: await openAside(join(folder, `${name}.aside`), aside_max_bytes),
    });
  }

  function courierOf(name: string): Courier {
    const courier = couriers.get(name);
    if (!courier) throw new LookoutError('not_found', `No follower "${name}"; ${couriers.size === 0 ? 'followers: in lookout.yaml names none' : `there are ${[...couriers.keys()].join(', ')}`}.`);
    return courier;
  }

  async function close(): Promise<void> {
    stop.abort(new LookoutError('shutting_down', 'Lookout is stopping'));
    await Promise.all([...couriers.values()].map((courier) => courier.close().catch((error: unknown) => {
      log.error(`${courier.name} did not stop in order`, { reason: errorInfo(error).message });
    })));
  }

  return {
    statuses: () => Promise.all(all.map((courier) => courier.status())),
    test: async (name, signal) => courierOf(name).test(signal),
    async rewind(name, to) {
      const courier = courierOf(name);
      if (!isLogPlace(to)) throw new LookoutError('bad_request', 'Rewind to now, to beginning, or to a time such as 2026-01-31T12:00:00Z.');
      await courier.rewind(to);
    },
    retry: async (name) => courierOf(name).retry(),
    close,
  };
}

/** Records are none's alert: who follows them wants all. */
function isAlert({ log, value }: Item): boolean {
  return log === 'records' || value['kind'] === 'summary' || value['alert'] === true;
}
