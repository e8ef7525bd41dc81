/** Names of cameras and classes as levels of topics: whatever they hold, each has its own, and nothing in it means something to a broker. */
import { createHash } from 'node:crypto';

/** What brokers take for something else, or refuse: wildcards, the mark between levels, our own escape, control characters, what is no character. */
const UNSAFE = /[%#+/\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/gu;
/** Bytes of a level; of a longer one the beginning stays, and a hash of the whole. */
const [LONGEST, BEGINNING, HASH_DIGITS] = [200, 160, 16];
/** Stand where classes stand. */
const TAKEN = /^(state|enabled)$/;
const NOTHING = '%';

export interface Topics {
  /** `online`, `stopped`, `offline`. */
  readonly available: string;
  readonly events: string;
  readonly records: string;
  readonly test: string;
  /** State of the camera's stream. */
  state(camera: string): string;
  enabled(camera: string): string;
  setEnabled(camera: string): string;
  /** Of every camera. */
  readonly setEnabledFilter: string;
  /** How many events of the class are running. */
  running(camera: string, cls: string): string;
  snapshot(camera: string, cls: string): string;
  last(camera: string, cls: string): string;
}

export function createTopics(prefix: string): Topics {
  const running: Topics['running'] = (camera, cls) => `${prefix}/${level(camera)}/${classLevel(cls)}`;
  return {
    available: `${prefix}/available`,
    events: `${prefix}/events`,
    records: `${prefix}/records`,
    test: `${prefix}/test`,
    state: (camera) => `${prefix}/${level(camera)}/state`,
    enabled: (camera) => `${prefix}/${level(camera)}/enabled/state`,
    setEnabled: (camera) => `${prefix}/${level(camera)}/enabled/set`,
    setEnabledFilter: `${prefix}/+/enabled/set`,
    running,
    snapshot: (camera, cls) => `${running(camera, cls)}/snapshot`,
    last: (camera, cls) => `${running(camera, cls)}/last`,
  };
}

/** Percent-encoded where it must be. What is longer than a level may be cannot be turned back: it is told apart by a hash. */
export function level(name: string): string {
  const safe = name.replace(UNSAFE, escaped).replace(/^\$/, escaped);
  if (Buffer.byteLength(safe) > LONGEST) return `${beginningOf(safe)}~${hashOf(name)}`;
  return safe === '' ? NOTHING : safe;
}

function classLevel(name: string): string {
  return TAKEN.test(name) ? `${escaped(name.slice(0, 1))}${name.slice(1)}` : level(name);
}

/** As Home Assistant has the names in its own topics: letters, digits, `_` and `-`. */
export function slug(name: string): string {
  const plain = name.replace(/[^a-zA-Z0-9_-]+/g, '_').slice(0, 40);
  return plain === name && name !== '' ? name : `${plain}_${hashOf(name).slice(0, 8)}`;
}

/** A text for a property of a message: ids of records that others wrote may hold anything. */
export function propertyText(text: string): string {
  const safe = text.replace(/[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/gu, escaped);
  return Buffer.byteLength(safe) > LONGEST * 5 ? `${beginningOf(safe)}~${hashOf(text)}` : safe;
}

function escaped(character: string): string {
  return bytesOf(character).map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}

/** In UTF-8, by its rule also for half of a surrogate pair, which has no bytes there. */
function bytesOf(character: string): readonly number[] {
  const code = character.codePointAt(0) ?? 0;
  return code >= 0xd800 && code <= 0xdfff ? [0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)] : [...Buffer.from(character)];
}

function beginningOf(safe: string): string {
  let beginning = '';
  let bytes = 0;
  for (const character of safe) {
    bytes += Buffer.byteLength(character);
    if (bytes > BEGINNING) break;
    beginning += character;
  }
  return beginning.replace(/%[0-9A-F]?$/, '');
}

function hashOf(text: string): string {
  // Also of what has no UTF-8, in which two texts might be one.
  return createHash('sha256').update(Buffer.from(text, 'utf16le')).digest('hex').slice(0, HASH_DIGITS);
}
