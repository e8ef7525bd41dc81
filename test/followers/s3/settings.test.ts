/** Settings of the follower s3: what is refused before anything is delivered, what is shown, and what it costs to be there. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { fault, secrets, target } from '../../../src/followers/s3.ts';
import type { S3Settings } from '../../../src/followers/s3/settings.ts';
import { SECRET, settingsOf } from './fixtures.ts';

describe('settings', () => {
  it.each<Partial<S3Settings>>([
    {}, { access_key_id: null, secret_access_key: null }, { endpoint: 'http://127.0.0.1:9000' }, { endpoint: 'https://minio.example' },
    { encryption: 'aws:kms', kms_key_id: 'k' }, { session_token: 't' }, { bucket: 'Old_Bucket.1' },
  ])('%j are good', (given) => {
    expect(fault(settingsOf(given))).toBeNull();
  });

  it.each<[Partial<S3Settings>, RegExp]>([
    [{ bucket: 'a/b' }, /bucket is a name/],
    [{ bucket: '../up' }, /bucket is a name/],
    [{ endpoint: 'minio.example:9000' }, /endpoint is an address/],
    [{ endpoint: 'ftp://minio.example' }, /endpoint is an address/],
    [{ endpoint: `https://me:${SECRET}@minio.example` }, /without user, password/],
    [{ endpoint: `https://minio.example?key=${SECRET}` }, /without user, password/],
    [{ secret_access_key: null }, /both or not at all/],
    [{ access_key_id: null }, /both or not at all/],
    [{ access_key_id: null, secret_access_key: null, session_token: 't' }, /session_token belongs to/],
    [{ kms_key_id: 'k' }, /kms_key_id is for/],
    [{ encryption: 'AES256', kms_key_id: 'k' }, /kms_key_id is for/],
    [{ key: '{log}.json' }, /needs \{id\}/],
  ])('%j are refused, without a secret', (given, words) => {
    const said = fault(settingsOf(given));
    expect(said).toMatch(words);
    expect(said).not.toContain(SECRET);
  });

  it('name the place without its secrets', () => {
    expect(target(settingsOf({ region: 'eu-central-1' }))).toBe('s3://findings in eu-central-1');
    expect(target(settingsOf({ endpoint: 'http://127.0.0.1:9000' }))).toBe('s3://findings at http://127.0.0.1:9000');
    expect(secrets).toEqual(['secret_access_key', 'session_token']);
  });
});

it('costs nobody the SDK who does not deliver to S3', () => {
  const first = fileURLToPath(new URL('../../../src/followers/s3.ts', import.meta.url));
  const loaded = new Set<string>();
  const load = (file: string): void => {
    if (loaded.has(file)) return;
    loaded.add(file);
    for (const [, isType, name = ''] of readFileSync(file, 'utf8').matchAll(/^import (type )?[^]*?'(.+?)';$/gm)) {
      if (isType !== undefined) continue;
      if (name.startsWith('.')) load(join(dirname(file), name));
      else loaded.add(name);
    }
  };
  load(first);
  expect([...loaded].some((name) => name.endsWith('key.ts'))).toBe(true);
  expect([...loaded].filter((name) => name.startsWith('@'))).toEqual([]);
});
