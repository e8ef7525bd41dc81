/** A follower that sends each item to an address of its own over HTTP: signed, as a CloudEvent or in a body made by a template. */
import type { Follower, FollowerContext, FollowerMember } from '../types.ts';
import { addressFault, pictureAddressFault, readAddress } from './webhook/address.ts';
import { createDelivery } from './webhook/delivery.ts';
import { formFault } from './webhook/form.ts';
import { headersFault } from './webhook/headers.ts';
import { createPictures } from './webhook/picture.ts';
import { createSender, type SenderSettings } from './webhook/sender.ts';
import { secretFault } from './webhook/signature.ts';
import { templateFault } from './webhook/template.ts';

export interface WebhookSettings extends SenderSettings {
  readonly picture: boolean;
  readonly max_age_seconds: number | null;
}

export const summary = 'an address of yours over HTTP, one signed request for each item; Slack, Discord, Telegram, ntfy, PagerDuty by templates';

export const settings: FollowerMember['settings'] = {
  url: {
    description: 'Where each item is sent by POST: http or https, with user:password@ for Basic. All but its host is kept secret.',
    type: 'string', minLength: 1,
  },
  secret: {
    description: 'Signs requests as Standard Webhooks says: whsec_ and base64, or plain text; 16 bytes or more. null: unsigned.',
    type: ['string', 'null'], minLength: 1, default: null,
  },
  old_secret: {
    description: 'While secrets are changed: the one before, with which requests are signed as well.',
    type: ['string', 'null'], minLength: 1, default: null,
  },
  template: {
    description: 'Liquid template of the body, of item, event, record, camera, picture_base64; where it gives nothing, nothing is sent. null: a CloudEvent in JSON.',
    type: ['string', 'null'], minLength: 1, default: null,
  },
  content_type: {
    description: 'Of the body; null: application/cloudevents+json, with a template application/json.',
    type: ['string', 'null'], minLength: 1, default: null,
  },
  picture: {
    description: 'Events and records come with their picture: as picture_base64 of the data and for the template, or as picture_field says.',
    type: 'boolean', default: false,
  },
  picture_field: {
    description: 'The picture is a file of this name in a form, whose other fields are the members of the JSON that the template makes. null: no form.',
    type: ['string', 'null'], minLength: 1, default: null,
  },
  picture_url: {
    description: 'Where what has a picture is sent, such as sendPhoto beside url; of the same host. null: url.',
    type: ['string', 'null'], minLength: 1, default: null,
  },
  headers: {
    description: 'Further headers, by name, such as Authorization.',
    type: 'object', default: {},
  },
  max_age_seconds: {
    description: 'Alerts older than this are passed over, and counted in one message; null: none is too old.',
    type: ['number', 'null'], minimum: 1, default: 3600,
  },
  per_minute: {
    description: 'The most requests within any minute; null: as many as there are.',
    type: ['integer', 'null'], minimum: 1, maximum: 6000, default: null,
  },
  timeout_seconds: {
    description: 'Time for an answer to a request.',
    type: 'number', minimum: 0.1, maximum: 300, default: 10,
  },
};

/** Tokens stand in any of them. */
export const secrets: FollowerMember['secrets'] = ['url', 'secret', 'old_secret', 'template', 'picture_url', 'headers'];

export const oneByOne = true;

export function target({ url }: WebhookSettings): string {
  return readAddress(url).origin;
}

export function fault(given: WebhookSettings): string | null {
  return addressFault(given.url) ?? pictureAddressFault(given) ?? secretFault(given) ?? headersFault(given) ?? formFault(given) ?? templateFault(given);
}

export function create(context: FollowerContext<WebhookSettings>): Follower {
  const { name, settings: given, version, log, signal } = context;
  return createDelivery({
    name, makeSender: () => createSender(given, version), pictures: createPictures(given.picture, context), max_age_seconds: given.max_age_seconds, log, signal,
  });
}
