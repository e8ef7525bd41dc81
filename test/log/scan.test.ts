import { describe, expect, it } from 'vitest';
import { createScanner, type Span } from '../../src/log/scan.ts';

const RECORDS = [
  { a: 1 },
  {},
  { text: 'brackets ]}[{ and "quotes" and a backslash \\ and two \\\\', nested: [{ deep: [[{}]] }, [], 'x'] },
  { end: 'with a backslash \\' },
  { 'key with "': '\\"\\\\"', ünïcode: '…' },
];

function scan(text: string, { format = 'json', size = 1 << 16, after }: { format?: 'json' | 'ndjson'; size?: number; after?: number } = {}) {
  const bytes = Buffer.from(text);
  const scanner = createScanner(format, after === undefined ? {} : { after });
  const spans: Span[] = [];
  for (let at = after ?? 0; at < bytes.length; at += size) spans.push(...scanner.feed(bytes.subarray(at, at + size)));
  const found = spans.map(({ offset, length }) => JSON.parse(bytes.subarray(offset, offset + length).toString()) as unknown);
  return { found, state: scanner.state, spans };
}

describe('the scanner', () => {
  const layouts = {
    'one record per line': `[\n${RECORDS.map((record) => JSON.stringify(record)).join(',\n')}\n]\n`,
    'indented, without a final line end': JSON.stringify(RECORDS, null, 2),
    'compact': JSON.stringify(RECORDS),
    'with CRLF': JSON.stringify(RECORDS, null, 2).replaceAll('\n', '\r\n'),
  };
  for (const [name, text] of Object.entries(layouts)) {
    it(`finds every record of an array that is ${name}, wherever chunks are cut`, () => {
      for (const size of [1, 2, 3, 5, 7, 64, 1 << 16]) {
        expect(scan(text, { size })).toMatchObject({ found: RECORDS, state: 'whole' });
      }
    });
  }

  it('finds the records of NDJSON, the last one also without a line end', () => {
    const text = RECORDS.map((record) => JSON.stringify(record)).join('\n');
    for (const size of [1, 3, 1 << 16]) {
      expect(scan(text, { format: 'ndjson', size })).toMatchObject({ found: RECORDS, state: 'whole' });
      expect(scan(`${text}\n`, { format: 'ndjson', size })).toMatchObject({ found: RECORDS, state: 'whole' });
    }
  });

  it('goes on after a known record', () => {
    const text = layouts['one record per line'];
    const first = scan(text).spans[0];
    const after = (first?.offset ?? 0) + (first?.length ?? 0);
    expect(scan(text, { after })).toMatchObject({ found: RECORDS.slice(1), state: 'whole' });
  });

  it('calls a file open that ends too early, and finds the records before that', () => {
    const text = layouts['one record per line'];
    const end = text.trimEnd().length;
    for (let length = 0; length < end; length += 1) {
      const { found, state } = scan(text.slice(0, length));
      expect(state).toBe('open');
      expect(found).toEqual(RECORDS.slice(0, found.length));
    }
  });

  it.each([
    ['an object at the root', '{"a": 1}', 0],
    ['rubbish', 'hello', 0],
    ['numbers in the array', '[1, 2]', 0],
    ['something after the end', '[{}] {}', 1],
    ['a second bracket', '[{}]]', 1],
    ['no comma between two records', '[{} {}]', 1],
    ['a comma before the bracket', '[{},]', 1],
    ['zeros where a record was to come', `[{},\n{"a": "\0\0\0`, 1],
  ])('calls %s broken', (_, text, records) => {
    const { found, state } = scan(text);
    expect(state).toBe('broken');
    expect(found).toHaveLength(records);
  });

  it.each(['', ' \n', '['])('finds nothing in %j and waits for more', (text) => {
    expect(scan(text)).toMatchObject({ found: [], state: 'open' });
  });

  it('takes an empty array for whole', () => {
    expect(scan('[\n]\n').state).toBe('whole');
  });
});
