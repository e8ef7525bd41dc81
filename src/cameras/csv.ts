/**
 * The camera table as the Flask orchestrator, editors and spreadsheets save it: any encoding, separator, decimal mark, line
 * ends and order of columns, blank lines, a mark at its beginning, a `sep=` line.
 */
import { parse, type Options } from 'csv-parse/sync';

import { LookoutError } from '../errors.ts';
import type { CameraRow } from '../types.ts';
import { DECIMAL_COMMA } from '../words/coordinate.ts';
import { encodingOf } from './encoding.ts';

export interface CameraText {
  /** In file order, their texts untouched; a column that the header lacks is empty. */
  readonly rows: readonly CameraRow[];
  /** What is wrong with the header, in words; null: nothing. */
  readonly trouble: string | null;
  /** Lines that cannot be read as rows, as they stand in the file. */
  readonly unreadable: readonly string[];
  /** Its last line has its end: it is not in the middle of being written. */
  readonly ended: boolean;
}

type Column = keyof CameraRow;

const COLUMNS = ['cameraID', 'latitude', 'longitude'] as const satisfies readonly Column[];
/** How headers name them, without blanks, `_`, `-` and capitals; who has several of these means the first. */
const NAMES: Readonly<Record<Column, readonly string[]>> = {
  cameraID: ['cameraid', 'camid', 'camera'],
  latitude: ['latitude', 'lat'],
  longitude: ['longitude', 'lon', 'lng', 'long'],
};
const SEPARATORS = [',', ';', '\t', '|'] as const;
/** How far the header is looked for, with the blank lines before it. */
const HEAD = 4096;
/** Lines that one row may take, by fields with line ends in them. */
const LINES_OF_A_ROW = 20;
/** How workbooks (xlsx, ods) begin, which are no text. */
const ZIP = 'PK\u0003\u0004';

export function readCameras(bytes: Buffer): CameraText {
  const text = encodingOf(bytes).decode(bytes);
  const { header, rows, unreadable } = layoutOf(text);
  const columns = columnsOf(header);
  const field = (row: readonly string[], name: Column): string => row[columns.indexOf(name)] ?? '';
  return {
    rows: rows.map((row) => ({ cameraID: field(row, 'cameraID'), latitude: field(row, 'latitude'), longitude: field(row, 'longitude') })),
    trouble: troubleOf(header), unreadable, ended: /[\r\n]$/.test(text),
  };
}

/** What to append for a row, as the table writes its own: with a header where there is none, after the end of a line that has none. */
export function appendedBytes(bytes: Buffer, row: CameraRow): Buffer {
  const encoding = encodingOf(bytes);
  const text = encoding.decode(bytes);
  const { header, rows, separator } = layoutOf(text);
  const end = /\r\n/.test(text.slice(0, text.indexOf('\n') + 1)) ? '\r\n' : '\n';
  const finish = text === '' || /[\r\n]$/.test(text) ? '' : end;
  const line = (fields: readonly string[]): string => `${fields.map((field) => quoted(field, separator)).join(separator)}${end}`;
  if (header.length === 0) return encoding.encode(`${finish}${line(COLUMNS)}${line(COLUMNS.map((name) => row[name]))}`);
  const trouble = troubleOf(header);
  if (trouble !== null) throw new LookoutError('bad_request', `the camera table takes no row: ${trouble}`);
  const columns = columnsOf(header);
  const isPlace = (name: Column | null): boolean => name === 'latitude' || name === 'longitude';
  const hasCommas = rows.some((fields) => columns.some((name, index) => isPlace(name) && DECIMAL_COMMA.test(fields[index] ?? '')));
  const written = (name: Column | null): string => (name === null ? '' : hasCommas && isPlace(name) ? row[name].replace('.', ',') : row[name]);
  return encoding.encode(finish + line(columns.map(written)));
}

interface Layout {
  readonly separator: string;
  /** Empty: the table is empty. */
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly unreadable: readonly string[];
}

function layoutOf(text: string): Layout {
  const body = text.replace(/^\ufeff/, '');
  const [line, said] = /^\s*"?sep=(.)"?\s*?(?:\r\n|\n|\r|$)/i.exec(body) ?? [];
  const table = line === undefined ? body : body.slice(line.length);
  const separator = said ?? separatorOf(table.slice(0, HEAD));
  return { separator, ...parsed(table, separator) };
}

/** The one that parts the header into the most columns that we know. */
function separatorOf(head: string): string {
  const known = (separator: string): number => columnsOf(parsed(head, separator).header).filter((name) => name !== null).length;
  return SEPARATORS.reduce((best, one) => (known(one) > known(best) ? one : best));
}

/** A row that cannot be read, by a quote that is never closed say, costs that row. */
function parsed(text: string, separator: string): Omit<Layout, 'separator'> {
  const unreadable: string[] = [];
  const [header = [], ...rows] = parseRows(text, separator) ?? rowByRow(text, separator, unreadable);
  return { header, rows, unreadable };
}

/** Quotes within fields are taken as they are here, but not where a row goes on in the next line: one that is open would take other rows with it. */
function rowByRow(text: string, separator: string, unreadable: string[]): readonly (readonly string[])[] {
  const lines = text.split(/\r\n|\n|\r/);
  const all: (readonly string[])[] = [];
  for (let at = 0, taken = 1; at < lines.length; at += taken) {
    taken = 1;
    let rows = parseRows(lines[at] ?? '', separator, { relax_quotes: true });
    while (rows === null && taken < LINES_OF_A_ROW && at + taken < lines.length) {
      taken += 1;
      rows = parseRows(lines.slice(at, at + taken).join('\n'), separator);
    }
    if (rows === null) {
      taken = 1;
      unreadable.push(lines[at] ?? '');
    } else {
      all.push(...rows);
    }
  }
  return all;
}

/** null: not all of it is rows. */
function parseRows(text: string, delimiter: string, options: Options = {}): readonly (readonly string[])[] | null {
  try {
    const rows: string[][] = parse(text, { delimiter, record_delimiter: ['\r\n', '\n', '\r'], relax_column_count: true, skip_empty_lines: true, ...options });
    return rows.filter((row) => row.some((field) => field.trim() !== ''));
  } catch {
    // Its only way to say so.
    return null;
  }
}

/** The columns we know, each once, by position; null for others. */
function columnsOf(header: readonly string[]): readonly (Column | null)[] {
  const titles = header.map((title) => title.replace(/[\s_-]/g, '').toLowerCase());
  const places = new Map(COLUMNS.map((name) => [placeOf(name, header, titles), name]));
  return header.map((_, place) => places.get(place) ?? null);
}

/** -1: it is not there. */
function placeOf(name: Column, header: readonly string[], titles: readonly string[]): number {
  return header.includes(name) ? header.indexOf(name) : titles.indexOf(NAMES[name].find((title) => titles.includes(title)) ?? name);
}

function troubleOf(header: readonly string[]): string | null {
  const missing = missingIn(header);
  const [first = ''] = header;
  if (header.length === 0 || missing.length === 0) return null;
  if (first.startsWith(ZIP)) return 'it is a workbook, not a text; save it as CSV';
  if (header.length === 1 && missingIn(layoutOf(first).header).length === 0) {
    return `its lines stand in quotes as a whole, so that ${first} is one column; take these quotes away`;
  }
  return `its first line, "${header.join(',').slice(0, 200)}", has no column ${missing.join(', ')}; write cameraID,latitude,longitude above the rows`;
}

function missingIn(header: readonly string[]): readonly Column[] {
  const columns = columnsOf(header);
  return COLUMNS.filter((name) => !columns.includes(name));
}

function quoted(field: string, separator: string): string {
  return /["\r\n]|^\s|\s$/.test(field) || field.includes(separator) ? `"${field.replaceAll('"', '""')}"` : field;
}
