/** Every setting as a Markdown table: what the README holds and `lookout settings` prints. */
import { listSettings } from './settings.ts';

export function settingsTable(): string {
  const rows = listSettings().map(({ key, description, range, default: value }) => (
    `| \`${key}\` | ${shown(value)} | ${[description, range && `${range}.`].filter(Boolean).join(' ')} |`));
  return ['| setting | default | what it does |', '|---|---|---|', ...rows].join('\n');
}

function shown(value: unknown): string {
  if (value === null || (Array.isArray(value) && value.length === 0)) return '';
  return `\`${Array.isArray(value) ? value.join(', ') : JSON.stringify(value).replaceAll('"', '')}\``;
}
