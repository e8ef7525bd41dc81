/** Finds where records begin and end in a stream of bytes, without reading them: constant memory, any size. */

export interface Span {
  readonly offset: number;
  readonly length: number;
}

export interface Scanner {
  /** The records that end in this chunk. A chunk is the bytes that follow the last one. */
  feed(chunk: Buffer): readonly Span[];
  /** `open`: the end is missing. `broken`: after the last span stands something that is no record. */
  readonly state: 'whole' | 'open' | 'broken';
}

type State = 'start' | 'first' | 'record' | 'after' | 'next' | 'closed' | 'broken';

/** What may stand outside of records, beside white space. A `{` begins a record. */
const GRAMMAR: Record<'json' | 'ndjson', Partial<Record<State, Readonly<Record<string, State>>>>> = {
  json: {
    start: { '[': 'first' },
    first: { '{': 'record', ']': 'closed' },
    after: { ',': 'next', ']': 'closed' },
    next: { '{': 'record' },
  },
  ndjson: { start: { '{': 'record' }, after: { '{': 'record' } },
};

const WHOLE: Record<'json' | 'ndjson', readonly State[]> = { json: ['closed'], ndjson: ['start', 'after'] };

const [QUOTE, BACKSLASH, OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = [0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d];
const WHITE = new Set([0x20, 0x09, 0x0a, 0x0d]);
/** The byte order mark that editors of Windows put before a text. */
const MARK = [0xef, 0xbb, 0xbf];

/** A scanner of an array of objects (`json`) or of objects in a row (`ndjson`). `after` a record: it resumes there. */
export function createScanner(format: 'json' | 'ndjson', { after }: { after?: number } = {}): Scanner {
  let place: State = after === undefined ? 'start' : 'after';
  let position = after ?? 0;
  let recordAt = 0;
  let depth = 0;
  let inText = false;
  /** Whether the bytes so far end in an odd number of backslashes, inside a text. */
  let escaping = false;

  const outside = (byte: number, at: number): void => {
    if (WHITE.has(byte) || MARK[at] === byte) return;
    place = GRAMMAR[format][place]?.[String.fromCharCode(byte)] ?? 'broken';
    if (place === 'record') depth = 1;
  };

  /** Skips to the end of the text that `from` is in, or to the end of the chunk. Answers where to go on. */
  const skipText = (chunk: Buffer, from: number): number => {
    const quote = chunk.indexOf(QUOTE, from);
    const end = quote === -1 ? chunk.length : quote;
    let run = end;
    while (run > from && chunk[run - 1] === BACKSLASH) run -= 1;
    const odd = (end - run) % 2 === 1;
    const escaped = run === from ? odd !== escaping : odd;
    if (quote === -1) {
      escaping = escaped;
      return end;
    }
    escaping = false;
    inText = escaped;
    return quote + 1;
  };

  /** Goes through a record until it or the chunk ends. Answers where to go on. */
  const inside = (chunk: Buffer, from: number): number => {
    let at = from;
    while (at < chunk.length) {
      if (inText) {
        at = skipText(chunk, at);
        continue;
      }
      const byte = chunk[at];
      at += 1;
      if (byte === QUOTE) inText = true;
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth += 1;
      else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        depth -= 1;
        if (depth === 0) {
          place = 'after';
          return at;
        }
      }
    }
    return at;
  };

  return {
    feed(chunk) {
      const spans: Span[] = [];
      // A file that lost power while it grew may hold zeros, which no JSON does: what follows is not to be trusted.
      const zero = chunk.indexOf(0);
      const sound = zero === -1 ? chunk : chunk.subarray(0, zero);
      for (let at = 0; at < sound.length && place !== 'broken'; ) {
        if (place === 'record') {
          at = inside(sound, at);
          if (depth === 0) spans.push({ offset: recordAt, length: position + at - recordAt });
        } else {
          outside(sound[at] ?? 0, position + at);
          if (depth > 0) recordAt = position + at;
          at += 1;
        }
      }
      if (zero !== -1) place = 'broken';
      position += chunk.length;
      return spans;
    },
    get state() {
      if (place === 'broken') return 'broken';
      return WHOLE[format].includes(place) ? 'whole' : 'open';
    },
  };
}
