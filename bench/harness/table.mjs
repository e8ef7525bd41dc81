/** The table that is printed at the end: what was measured, what it must reach, what it reached. */
import { digits } from './numbers.mjs';

/** `value` is undefined where nothing could be measured, null where nothing was to be. */
export function reached({ atMost = Infinity, atLeast = -Infinity }, value) {
  return value >= atLeast && value <= atMost;
}

export function tableText(rows, columns) {
  const cells = [
    ['what', 'must reach', ...columns],
    ...rows.map(({ line, values }) => [line.what, limit(line), ...values.map((value) => cell(line, value))]),
  ];
  const widths = cells[0].map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  return cells.map((row) => row.map((text, column) => text.padEnd(widths[column])).join('  ').trimEnd()).join('\n');
}

function limit({ atMost, atLeast, unit }) {
  const bound = atMost === undefined ? `>= ${digits(atLeast)}` : `<= ${digits(atMost)}`;
  return withUnit(bound, unit);
}

function cell(line, value) {
  if (value === null) return '';
  if (value === undefined) return 'FAILED';
  return `${withUnit(digits(value), line.unit)}${reached(line, value) ? '' : '  MISSED'}`;
}

const withUnit = (text, unit) => (unit === undefined ? text : `${text} ${unit}`);
