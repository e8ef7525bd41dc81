/** Files that items are appended to, and those who read them from their beginning on. */
import type { Json } from './json.ts';
import type { BatchRecord, RecordQuery } from './record.ts';

/** An append-only file, which holds each item exactly once. */
export interface AppendLog<Value> {
  /** The items are on the disk, in this order, when it returns. A try that failed may be made again: it may have put some of them there. */
  append(items: readonly Value[], signal: AbortSignal): Promise<void>;
  /** Whether an item of that id is in it; asked for what a crash or a backup left open, and before a replay. */
  has(id: string): Promise<boolean>;
  /** Newest first. */
  read(query: RecordQuery): Promise<readonly Json[]>;
  /** For one who follows it. */
  reader(): LogReader;
  /** Told of each append. */
  onAppended(listener: () => void): void;
  /**
   * Files go for want of room from now on: none did before, as nobody had said what is needed. Those that are stay, as long as all
   * take no more than `bytes` beyond what they may. Resolves when those are gone that are too many now.
   */
  heldBy(holder: LogHolder): Promise<void>;
  close(): Promise<void>;
}

/** Who still needs old files of a log, each named by its first item. */
export interface LogHolder {
  readonly bytes: number;
  needs(volume: string): boolean;
  /** It was removed, with so many items. */
  gone(volume: string, items: number): void;
}

/** How far somebody has read a log. */
export interface LogPlace {
  /** Id of the first item of the file that it is in, by which the file is known when it is renamed or gzipped; empty: at the beginning. */
  readonly volume: string;
  /** Items of that file that were read. */
  readonly items: number;
  /** Id and time of the last of these. */
  readonly last: string;
  readonly time: string | null;
}

export interface Stretch {
  readonly items: readonly Item[];
  /** Behind each of them. */
  readonly places: readonly LogPlace[];
  /** Behind all. */
  readonly place: LogPlace;
  /** So many that cannot be read stand before the first of them; where there is none, at the end. */
  readonly unreadable: number;
}

/** Reads a log from its beginning on. A place that it gave it finds again at once. */
export interface LogReader {
  /** `now`: behind all that is there; or the first item at or after a time, RFC 3339. */
  resolve(from: string): Promise<LogPlace>;
  /** The items behind the place; none: there are no more. `mended`: the place was not found, and this is before the first item after its time. */
  read(place: LogPlace, wanted: { readonly items: number; readonly bytes: number; readonly pictures: boolean }): Promise<Stretch & { readonly mended: LogPlace | null }>;
  /** Items behind the place. */
  remaining(place: LogPlace): Promise<number>;
}

/** An item of a log, as those who follow it get it. */
export interface Item {
  readonly log: 'records' | 'events';
  /** Its idempotency key: of a record its batch's id, of an event its own and the number of the entry; of a record without an id the hash of its bytes. */
  readonly id: string;
  readonly camera_id: string;
  /** RFC 3339: when its first frame was captured, or its entry was made; null: it does not say. */
  readonly time: string | null;
  /** As it stands in the log; records without their base64 picture unless the follower asks for it. */
  readonly value: Readonly<Record<string, Json>>;
  /** Of the value as JSON. */
  readonly bytes: number;
  /** Somebody wants it brought, by a retry or a rewind, however old it is. */
  readonly asked?: true;
}

/** The log: the records of all batches. */
export type RecordLog = AppendLog<BatchRecord>;
