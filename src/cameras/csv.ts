/** The text of the camera table: blank lines, mixed line ends, a BOM, spaces and any order of columns are all fine. */
import { parse } from 'csv-parse/sync';

import { LookoutError } from '../errors.ts';
import type { CameraRow } from '../types.ts';

const COLUMNS = ['cameraID', 'latitude', 'longitude'] as const;

/** Rows in file order, their texts untouched; a column that the header lacks is empty. */
export function parseCameras(text: string): readonly CameraRow[] {
  const [header = [], ...rows] = parseRows(text);
  const columns = columnsOf(header);
  const field = (row: readonly string[], name: (typeof COLUMNS)[number]): string => row[columns.indexOf(name)] ?? '';
  return rows.map((row) => ({ cameraID: field(row, 'cameraID'), latitude: field(row, 'latitude'), longitude: field(row, 'longitude') }));
}

/** What to append for a row: with the header where there is none, after the end of a line that has none. */
export function appendedText(text: string, row: CameraRow): string {
  const header = parseRows(text)[0];
  const end = /\r\n/.test(text.slice(0, text.indexOf('\n') + 1)) ? '\r\n' : '\n';
  const finish = text === '' || text.endsWith('\n') ? '' : end;
  const line = (fields: readonly string[]): string => `${fields.map(quote).join(',')}${end}`;
  if (header === undefined) return `${finish}${line(COLUMNS)}${line(COLUMNS.map((name) => row[name]))}`;
  const columns = columnsOf(header);
  const missing = COLUMNS.filter((name) => !columns.includes(name));
  if (missing.length > 0) throw new LookoutError('internal', `the first line of the camera table has no column ${missing.join(', ')}; add it`);
  return finish + line(columns.map((name) => (name === null ? '' : row[name])));
}

/** The columns we know, by position; null for others. */
function columnsOf(header: readonly string[]): readonly ((typeof COLUMNS)[number] | null)[] {
  return header.map((title) => COLUMNS.find((name) => name.toLowerCase() === title.trim().toLowerCase()) ?? null);
}

function parseRows(text: string): readonly (readonly string[])[] {
  const rows: string[][] = parse(text, {
    bom: true,
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
  });
  return rows.filter((row) => row.some((field) => field.trim() !== ''));
}

function quote(field: string): string {
  return /[",\r\n]|^\s|\s$/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
