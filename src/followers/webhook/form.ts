/** A body that is a form: a field for each member of its JSON, and the picture as a file. */
import { isObject } from '../../lib/objects.ts';
import type { Body } from './body.ts';

/** Texts stand there as they are, other values as JSON; null is left out. `picture`: JPEG; null: there is none, and the form is without it. */
export async function formOf(json: string, field: string, picture: Uint8Array | null): Promise<Body> {
  const members: unknown = JSON.parse(json);
  if (!isObject(members)) return { fault: 'the template makes no JSON object of it, whose members would be the fields of the form' };
  const form = new FormData();
  for (const [name, value] of Object.entries(members)) {
    if (value !== null) form.append(name, typeof value === 'string' ? value : JSON.stringify(value));
  }
  if (picture !== null) form.append(field, new Blob([picture], { type: 'image/jpeg' }), 'picture.jpg');
  const made = new Response(form);
  return { body: Buffer.from(await made.arrayBuffer()), type: made.headers.get('content-type') ?? 'multipart/form-data' };
}

export function formFault({ picture, picture_field, template, content_type }: {
  readonly picture: boolean; readonly picture_field: string | null; readonly template: string | null; readonly content_type: string | null;
}): string | null {
  if (picture_field === null) return null;
  if (!picture) return 'picture_field is for pictures, which are not sent; set picture: true';
  if (template === null) return 'picture_field needs a template, whose JSON has the other fields of the form';
  return content_type === null ? null : 'picture_field makes a form, whose type Lookout sets; remove content_type';
}
