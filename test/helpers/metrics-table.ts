/** The table of metrics as deploy/README.md shows it. */
import { FAMILIES } from '../../src/http/metric-families.ts';

export function metricsTable(): string {
  const rows = FAMILIES.map(({ name, type, labels, help }) => `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`);
  return ['| metric | type | labels | what it says |', '|---|---|---|---|', ...rows].join('\n');
}
