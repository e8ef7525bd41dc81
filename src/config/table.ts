/** Every setting as a Markdown table: what the README holds and `lookout settings` prints. */
import { defaultOf, listSettings, meaningOf } from './settings.ts';

export function settingsTable(): string {
  const rows = listSettings().map((setting) => {
    const usual = defaultOf(setting);
    return `| \`${setting.key}\` | ${usual && `\`${usual}\``} | ${meaningOf(setting)} |`;
  });
  return ['| setting | default | what it does |', '|---|---|---|', ...rows].join('\n');
}
