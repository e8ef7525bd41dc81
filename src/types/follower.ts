/** Who wants the items of a log: the contract of the followers. */
import type { SettingSchema } from './config.ts';
import type { Face } from './face.ts';
import type { Item } from './log.ts';

/** An item that the target does not take, whatever happens: bad data, too large, against a rule of its own. */
export interface Refused {
  readonly item: Item;
  /** In the target's words. */
  readonly reason: string;
}

/** What reads logs with a cursor of its own and delivers their items somewhere. Nobody waits for it. */
export interface Follower {
  /**
   * From now on it is there between items too, e.g. shows states and hears commands. Called once before the first `deliver`, and
   * not by whoever only tests it. Absent: there is nothing between items.
   */
  begin?(): void;
  /**
   * The target has all items when it returns, but those answered. In order; items may come again after a crash or a failure, with
   * the same ids. Throws when the target is away, `target_away` with `retry_after_seconds` in its details where it says when to come
   * again: the same items are brought again later, for as long as it takes.
   */
  deliver(items: readonly Item[], signal: AbortSignal): Promise<readonly Refused[]>;
  /** Whether the target hears of the item, if it is brought now: else its delivery does not show that the target is there. Absent: of each. */
  isSent?(item: Item): Promise<boolean>;
  /** Reaches the target once, and leaves nothing there that counts. Answers in words what was reached; throws as `deliver` does. */
  test(signal: AbortSignal): Promise<string>;
  close(): Promise<void>;
}

/** What a follower may see and do of Lookout beside its items. */
export interface FollowerContext<Settings> {
  readonly name: string;
  readonly settings: Settings;
  readonly version: string;
  /** JPEG of an item: what the record shows, or an event's best picture. null: there is none, or not any more. */
  picture(item: Item): Promise<Uint8Array | null>;
  /** The file of an event's clip; null: likewise. */
  clip(item: Item): string | null;
  readonly lookout: Pick<Face, 'streams' | 'cameras' | 'latest' | 'change' | 'models' | 'eventDrawing'>;
  readonly log: { warn(message: string, facts?: object): void; info(message: string, facts?: object): void };
  /** Aborts when Lookout stops. */
  readonly signal: AbortSignal;
}


/** What a file of the followers' family exports. */
export interface FollowerMember<Settings = Readonly<Record<string, unknown>>> {
  readonly summary: string;
  /** Of an item of `followers:` beside those that all have; one without a default has to be given. */
  readonly settings: Readonly<Record<string, Omit<SettingSchema, 'default'> & { readonly default?: unknown }>>;
  /** Settings that are shown to nobody. */
  readonly secrets: readonly string[];
  /** It is brought reviews of events too where it is to have alerts only. */
  readonly takesReviews?: true;
  /** It is brought one item at a time: what it has sent does not come again because of the next one. Absent: it takes many together. */
  readonly oneByOne?: true;
  /** Where it delivers to, without secrets: shown, and told apart by. */
  target(settings: Settings): string;
  /** What no schema says; null: nothing is wrong. */
  fault?(settings: Settings): string | null;
  create(context: FollowerContext<Settings>): Follower;
}
