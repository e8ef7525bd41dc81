/** Reads what /metrics answers as strictly as the text format (version 0.0.4) and Prometheus' rules for names are written. */

export interface Exposition {
  /** By name. */
  readonly families: ReadonlyMap<string, { readonly type: string; readonly help: string; readonly labels: ReadonlySet<string> }>;
  readonly series: ReadonlyMap<string, number>;
  /** Of the one series with these labels and no others; undefined: there is none. */
  value(name: string, labels?: Readonly<Record<string, string>>): number | undefined;
}

const NAME = /^[a-z][a-z0-9_]*$/;
const NUMBER = /^(?:[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?|\+Inf|-Inf|NaN)$/i;
/** Name, labels, value; a label's value holds no bare quote, backslash or line break. */
const SAMPLE = /^([A-Za-z_:][A-Za-z0-9_:]*)(?:\{((?:[A-Za-z_][A-Za-z0-9_]*="(?:[^"\\]|\\["\\n])*",?)*)\})? (\S+)$/;
const LABEL = /([A-Za-z_][A-Za-z0-9_]*)="((?:[^"\\]|\\["\\n])*)"/g;
/** What comes after the name of a histogram or summary. */
const PARTS = /_(?:bucket|sum|count)$/;

/** Throws with the line that is wrong. */
export function parseExposition(text: string): Exposition {
  const families = new Map<string, { type: string; help: string; labels: Set<string> }>();
  const series = new Map<string, number>();
  const done = new Set<string>();
  let current = '';
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  for (const line of text.split('\n')) {
    const fail = (why: string): never => { throw new Error(`${why}: ${line}`); };
    if (line === '') continue;
    const [, word, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (word === 'HELP') {
      if (families.has(name) || done.has(name)) fail('told twice');
      if (!NAME.test(name)) fail('no name');
      done.add(current);
      current = name;
      families.set(name, { type: '', help: rest, labels: new Set() });
    } else if (word === 'TYPE') {
      const family = families.get(name) ?? fail('a type without help');
      if (name !== current || family.type !== '') fail('a type in the wrong place');
      if (!['counter', 'gauge', 'histogram', 'summary'].includes(rest)) fail('no type');
      if ((rest === 'counter') !== name.endsWith('_total')) fail('_total is for counters, and for them alone');
      if (/_(?:ms|milliseconds|minutes|kb|mb|percent)(?:_|$)/.test(name)) fail('no base unit');
      family.type = rest;
    } else {
      const [, full = '', labels = '', value = ''] = SAMPLE.exec(line) ?? fail('no sample');
      const family = families.get(current) ?? fail('a sample of no family');
      const isPart = (family.type === 'histogram' || family.type === 'summary') && full.replace(PARTS, '') === current;
      if (full !== current && !isPart) fail(`a sample among those of ${current}`);
      if (!NUMBER.test(value)) fail('no number');
      if (family.type === 'counter' && Number(value) < 0) fail('a counter below 0');
      const read = [...labels.matchAll(LABEL)].map(([, label = '', quoted = '']): [string, string] => [label, quoted.replace(/\\(.)/g, (_all, sign: string) => (sign === 'n' ? '\n' : sign))]);
      for (const [label] of read) family.labels.add(label);
      if (new Set(read.map(([label]) => label)).size < read.length) fail('a label twice');
      const key = keyOf(full, read);
      if (series.has(key)) fail('a series twice');
      series.set(key, Number(value.replace('Inf', 'Infinity')));
    }
  }
  return { families, series, value: (name, labels = {}) => series.get(keyOf(name, Object.entries(labels))) };
}

function keyOf(name: string, labels: readonly (readonly [string, string])[]): string {
  return JSON.stringify([name, ...[...labels].sort(([a], [b]) => (a < b ? -1 : 1))]);
}
