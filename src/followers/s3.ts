/** Objects in a bucket of S3, or of a server that speaks as it does: one for each record and event, pictures and clips beside it. */
import type { Follower, FollowerContext, FollowerMember } from '../types.ts';
import { loadedLater } from './common/loaded-later.ts';
import { keyFault } from './s3/key.ts';
import { placeOf, type S3Settings } from './s3/settings.ts';

export const summary = 'objects in a bucket of Amazon S3 or of a server that speaks as it does';

const TEXT_OR_NULL = { type: ['string', 'null'], minLength: 1, default: null } as const;

export const settings: FollowerMember<S3Settings>['settings'] = {
  bucket: { description: 'Name of the bucket, which must be there.', type: 'string', minLength: 1 },
  endpoint: { description: 'Address of a server other than Amazon\'s, e.g. https://minio.example:9000; null: Amazon\'s of the region.', ...TEXT_OR_NULL },
  region: { description: 'Region of the bucket; other servers have a name of their own for it, or take any.', type: 'string', minLength: 1, default: 'us-east-1' },
  access_key_id: { description: 'Who writes; null, and no secret_access_key either: what the environment, the files in ~/.aws or the machine\'s role say.', ...TEXT_OR_NULL },
  secret_access_key: { description: 'Its secret.', ...TEXT_OR_NULL },
  session_token: { description: 'Of credentials that are lent for a while.', ...TEXT_OR_NULL },
  path_style: { description: 'Name the bucket in the path instead of the host; null: where there is an endpoint.', type: ['boolean', 'null'], default: null },
  key: {
    description: 'Key of an object: {log}, {camera}, {yyyy}, {mm}, {dd}, {hh} (UTC), {id}, {class} and {rule} are put in; ends in .json.',
    type: 'string', minLength: 1, default: '{log}/{camera}/{yyyy}/{mm}/{dd}/{id}.json',
  },
  upload_pictures: { description: 'The picture beside the JSON, as .jpg.', type: 'boolean', default: true },
  upload_clips: { description: 'The clip of an event beside its JSON, as .mp4.', type: 'boolean', default: true },
  per_frame: { description: 'Beside a record also a JSON for each of its frames, with what was found in it.', type: 'boolean', default: false },
  gzip: { description: 'JSON is compressed, and says so in its Content-Encoding.', type: 'boolean', default: false },
  encryption: { description: 'With which the server is asked to encrypt; null: as the bucket does.', type: ['string', 'null'], enum: ['AES256', 'aws:kms', null], default: null },
  kms_key_id: { description: 'Key of aws:kms; null: the account\'s own.', ...TEXT_OR_NULL },
  storage_class: { description: 'E.g. STANDARD_IA; null: the bucket\'s.', ...TEXT_OR_NULL },
  timeout_seconds: { description: 'A request that is not answered after this long, and a second more for each 4 kB of it, has failed.', type: 'number', minimum: 1, maximum: 600, default: 10 },
};

export const secrets: readonly string[] = ['secret_access_key', 'session_token'];

export const target = (settings: S3Settings): string => placeOf(settings);

export function fault({ bucket, endpoint, access_key_id, secret_access_key, session_token, key, encryption, kms_key_id }: S3Settings): string | null {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(bucket)) return `bucket is a name of letters, digits, dots, hyphens and underscores, not ${JSON.stringify(bucket)}`;
  if (endpoint !== null && !isEndpoint(endpoint)) return 'endpoint is an address that begins with http:// or https://, without user, password, parameters or fragment';
  if ((access_key_id === null) !== (secret_access_key === null)) return 'access_key_id and secret_access_key are given both or not at all';
  if (session_token !== null && access_key_id === null) return 'session_token belongs to an access_key_id, and there is none';
  if (kms_key_id !== null && encryption !== 'aws:kms') return 'kms_key_id is for encryption: aws:kms';
  return keyFault(key);
}

function isEndpoint(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return /^https?:$/.test(url.protocol) && url.username === '' && url.password === '' && url.search === '' && url.hash === '';
}

export function create(context: FollowerContext<S3Settings>): Follower {
  return loadedLater(async () => (await import('./s3/delivery.ts')).createDelivery(context));
}
