/** The table of what a rule of events may say, as docs/events.md shows it. */
import { rangeOf } from '../../src/config/settings.ts';
import { EVENT_RULE, ruleOf } from '../../src/words/event-rules.ts';

export function rulesTable(): string {
  const usual: Readonly<Record<string, unknown>> = { ...ruleOf({ name: 'usual' }), name: undefined };
  const rows = Object.entries(EVENT_RULE.properties).map(([key, schema]) => {
    const value = usual[key];
    const shown = value === undefined || value === null ? '' : `\`${JSON.stringify(value).replaceAll('"', '').replaceAll(':', ': ').replaceAll(',', ', ')}\``;
    const range = rangeOf(schema);
    return `| \`${key}\` | ${shown} | ${schema.description}${range === '' ? '' : ` (${range})`} |`;
  });
  return ['| key | default | what it says |', '|---|---|---|', ...rows].join('\n');
}
