/** The body of a request: a CloudEvent, what the template makes, or a form of it. */
import { cloudEvent } from './cloud-event.ts';
import { formOf } from './form.ts';
import type { Message } from './message.ts';
import { createTemplate, isJson } from './template.ts';

export interface BodySettings {
  readonly template: string | null;
  readonly content_type: string | null;
  readonly picture_field: string | null;
}

type Made<Content> =
  /** Empty: there is nothing to send. */
  | { readonly body: Content; readonly type: string }
  /** Why none can be made. */
  | { readonly fault: string };
export type Body = Made<Uint8Array>;

/** In characters, beside a picture. */
const LARGEST = 1_000_000;

export function bodyMaker(settings: BodySettings): (message: Message) => Promise<Body> {
  const textOf = textMaker(settings);
  return async (message) => {
    const made = textOf(message);
    if ('fault' in made) return made;
    if (settings.picture_field !== null && made.body !== '') return formOf(made.body, settings.picture_field, message.picture);
    return { body: Buffer.from(made.body), type: made.type };
  };
}

function textMaker({ template: text, content_type }: BodySettings): (message: Message) => Made<string> {
  if (text === null) return (message) => ({ body: JSON.stringify(cloudEvent(message)), type: content_type ?? 'application/cloudevents+json' });
  const type = content_type ?? 'application/json';
  const template = createTemplate(text, type);
  return (message) => {
    const made = template.render(message);
    if ('fault' in made || made.body.trim() === '') return 'fault' in made ? made : { body: '', type };
    const most = LARGEST + Math.ceil((message.picture?.length ?? 0) / 3) * 4;
    if (made.body.length > most) return { fault: `the template makes a body of more than ${most} characters` };
    const fault = isJson(type) ? jsonFault(made.body) : null;
    return fault === null ? { body: made.body, type } : { fault };
  };
}

function jsonFault(body: string): string | null {
  try {
    JSON.parse(body);
    return null;
  } catch (error) {
    return `the template makes no JSON of it: ${(error as Error).message}`;
  }
}
