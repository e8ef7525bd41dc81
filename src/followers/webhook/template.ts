/** Templates of bodies, in Liquid: they see one message, no file, and a name in them is never taken for what it says. */
import { createRequire } from 'node:module';
import { base64Of, type Message } from './message.ts';

export interface Template {
  render(message: Message): { readonly body: string } | { readonly fault: string };
}

/** Files, and what one file takes from another. */
const OF_FILES = ['include', 'render', 'layout', 'block'];
const LIMITS = { parseLimit: 100_000, renderLimit: 500, memoryLimit: 20_000_000 };

/** With the first template: a start without any does not wait a tenth of a second for it. */
const liquid = (): typeof import('liquidjs') => createRequire(import.meta.url)('liquidjs') as typeof import('liquidjs');

/** Throws where the template cannot be read. */
export function createTemplate(text: string, contentType: string): Template {
  const { Liquid } = liquid();
  const engine = new Liquid({
    strictFilters: true, ownPropertyOnly: true, preserveTimezones: true, templates: {}, ...LIMITS,
    // In JSON a value stands within quotes unless the template says otherwise, so that no quote in it ends them.
    ...(isJson(contentType) && { outputEscape: withinQuotes }),
  });
  for (const tag of OF_FILES) engine.registerTag(tag, { parse: () => { throw new Error(`the tag ${tag} reads files, which no template here may`); }, render: () => '' });
  engine.registerFilter('json', { raw: true, handler: (value: unknown) => JSON.stringify(value ?? null) });
  const parsed = engine.parse(text);
  return {
    render({ id, type, camera, time, text: sentence, event, record, picture }) {
      try {
        const item = { id, type, time, text: sentence, camera_id: camera?.id ?? null };
        return { body: String(engine.renderSync(parsed, { item, event, record, camera, picture_base64: picture && base64Of(picture) })) };
      } catch (error) {
        return { fault: `the template makes nothing of it: ${wordsOf(error)}` };
      }
    },
  };
}

/** What keeps the template from being read; null: nothing. */
export function templateFault({ template, content_type }: { readonly template: string | null; readonly content_type: string | null }): string | null {
  if (template === null) return null;
  try {
    createTemplate(template, content_type ?? 'application/json');
    return null;
  } catch (error) {
    return `template cannot be read: ${wordsOf(error)}`;
  }
}

export function isJson(contentType: string): boolean {
  return /^[\w.-]+\/(?:[\w.-]+\+)?json *(?:;|$)/i.test(contentType);
}

function withinQuotes(value: unknown): string {
  const text = typeof value === 'string' ? value : value === null || value === undefined ? '' : JSON.stringify(value);
  return JSON.stringify(text).slice(1, -1);
}

/** Its first line: what follows shows the template, in which secrets may stand. */
function wordsOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}
