/** The two forms of a file of records, as bytes: a JSON array with one record per line, or NDJSON. */

export interface Layout {
  readonly format: 'json' | 'ndjson';
  /** What stands before the first record, between two, after the last, and after `opening` when there is none. */
  readonly opening: string;
  readonly between: string;
  readonly closing: string;
  readonly closingEmpty: string;
  /** Beginnings that only files have which Lookout began; Python's json.dump indents, or puts no line end at all. */
  readonly ours: readonly string[];
  /** Remains that hold nothing worth keeping. */
  readonly nothing: RegExp;
}

export const LAYOUTS: Record<'json' | 'ndjson', Layout> = {
  json: {
    format: 'json',
    opening: '[\n',
    between: ',\n',
    closing: '\n]\n',
    closingEmpty: ']\n',
    ours: ['[\n{', '[\n]'],
    nothing: /^[\s[\],]*$/,
  },
  ndjson: { format: 'ndjson', opening: '', between: '\n', closing: '\n', closingEmpty: '', ours: [''], nothing: /^\s*$/ },
};
