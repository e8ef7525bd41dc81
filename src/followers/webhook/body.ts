/** The body of a request: a CloudEvent, or what the template makes. */
import { cloudEvent } from './cloud-event.ts';
import type { Message } from './message.ts';
import { createTemplate, isJson } from './template.ts';

export interface BodySettings {
  readonly template: string | null;
  readonly content_type: string | null;
}

export type Body =
  /** Empty: there is nothing to send. */
  | { readonly body: string; readonly type: string }
  /** Why none can be made. */
  | { readonly fault: string };

const LARGEST = 1_000_000;

export function bodyMaker({ template: text, content_type }: BodySettings): (message: Message) => Body {
  if (text === null) return (message) => ({ body: JSON.stringify(cloudEvent(message)), type: content_type ?? 'application/cloudevents+json' });
  const type = content_type ?? 'application/json';
  const template = createTemplate(text, type);
  return (message) => {
    const made = template.render(message);
    if ('fault' in made || made.body.trim() === '') return 'fault' in made ? made : { body: '', type };
    if (made.body.length > LARGEST) return { fault: `the template makes a body of more than ${LARGEST} characters` };
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
