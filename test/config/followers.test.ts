/** `followers:` in lookout.yaml: what they may say, where a mistake stands, and where their secrets come from. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { testFolder } from '../store/folder.ts';
import { written } from './lists.ts';

const folder = testFolder();
const { load, problems } = written(() => folder.path);

describe('a list of followers', () => {
  it('has what each type has by itself, and what all have', async () => {
    const yaml = 'followers:\n  - {name: room, type: webhook, url: "https://example.com/hook"}\n  - {name: house, type: mqtt, url: "mqtt://broker", logs: [records, events], events: all, from: beginning, pictures: true, aside_max_bytes: 5}\n';
    const { config: { followers } } = await load(yaml);
    expect(followers).toMatchObject([
      { name: 'room', type: 'webhook', logs: ['events'], events: 'alerts', from: 'now', pictures: false, aside_max_bytes: 100_000_000, url: 'https://example.com/hook', secret: null, max_age_seconds: 3600, timeout_seconds: 10 },
      { name: 'house', type: 'mqtt', logs: ['records', 'events'], events: 'all', from: 'beginning', pictures: true, aside_max_bytes: 5, prefix: 'lookout', qos: 1 },
    ]);
  });

  it('is empty by itself', async () => {
    expect((await load('port: 0\n')).config).toMatchObject({ followers: [], followers_hold_bytes: 1_000_000_000 });
  });

  it('names each mistake with its place, once', async () => {
    const yaml = [
      'followers:', // 1
      '  - name: room', // 2
      '    type: webhok', // 3
      '  - name: without', // 4
      '    type: webhook', // 5
      '  - {name: a, type: webhook, url: "ftp://x/"}', // 6
      '  - {name: b, type: webhook, url: "http://x/", timeout_seconds: 0}', // 7
      '  - {name: c, type: postgres, url: "postgres://x/y", schemas: other}', // 8
      '  - {name: "Ö", type: mqtt, url: "mqtt://x", logs: [pictures], from: yesterday 3}', // 9
      '  - {type: webhook, url: "http://x/"}', // 10
      '  - webhook', // 11
      '  - {name: d, type: webhook, url: "http://x/"}', // 12
      '  - {name: d, type: mqtt, url: "mqtt://x"}', // 13
      '',
    ].join('\n');
    expect(await problems(yaml)).toEqual([
      'lookout.yaml:3:11: followers[0].type: must be one of mqtt, postgres, s3, webhook',
      'lookout.yaml:4:5: followers[1]: url is missing',
      expect.stringMatching(/^lookout\.yaml:6:5: followers\[2\]: url must be an address such as https:/),
      'lookout.yaml:7:65: followers[3].timeout_seconds: must be a number, 0.1 to 300, not 0',
      'lookout.yaml:8:54: followers[4].schemas: unknown setting; did you mean schema?',
      'lookout.yaml:9:12: followers[5].name: must be a name of small letters, digits, - and _, such as control-room',
      'lookout.yaml:9:53: followers[5].logs[0]: must be one of records, events, not "pictures"',
      'lookout.yaml:9:70: followers[5].from: must be now, beginning, or a time such as 2026-01-31T12:00:00Z',
      'lookout.yaml:10:5: followers[6]: name is missing',
      'lookout.yaml:11:5: followers[7]: must be a mapping of keys to values, not "webhook"',
      "lookout.yaml:13:12: followers[9].name: d is another's name already",
    ]);
  });

  it('is no mapping', async () => {
    expect(await problems('followers: {name: room, type: webhook}\n')).toEqual([expect.stringContaining('lookout.yaml:1:12: followers: must be a list')]);
  });

  it('takes the type of a member alone', async () => {
    for (const type of ['constructor', '../cli', 'webhook.ts', '7']) expect(await problems(`followers: [{name: a, type: "${type}", url: "http://x/"}]\n`), type).toEqual([expect.stringContaining('followers[0].type: must be one of')]);
  });
});

describe('what comes from the environment', () => {
  const yaml = 'followers:\n  - {name: room, type: webhook, url: "https://x/${KEY}", secret: "${HOOK_SECRET}", timeout_seconds: "${SECONDS}", per_minute: "${RATE}", pictures: "${ON}", logs: "${LOGS}"}\n';
  const others = { SECONDS: '2.5', RATE: 'null', ON: 'yes', LOGS: 'events, records' };
  const HOOK_SECRET = 'sixteen-bytes-and-more';
  const env = { ...others, KEY: 'k3y', HOOK_SECRET };

  it('is a number, a switch, a list or nothing where that is asked for', async () => {
    const { config, secrets } = await load(yaml, env);
    expect(config.followers).toMatchObject([{ url: 'https://x/k3y', secret: 'sixteen-bytes-and-more', timeout_seconds: 2.5, per_minute: null, pictures: true, logs: ['events', 'records'] }]);
    expect(secrets).toEqual(expect.arrayContaining(['KEY', 'HOOK_SECRET']));
  });

  it('is the content of a file by its name with _FILE', async () => {
    const file = join(folder.path, 'secret');
    await writeFile(file, 'of-a-file-which-is-long\n');
    const { config } = await load(yaml, { ...others, KEY: 'k3y', HOOK_SECRET_FILE: file });
    expect(config.followers).toMatchObject([{ secret: 'of-a-file-which-is-long' }]);
    expect(await problems(yaml, { ...others, KEY: 'k3y', HOOK_SECRET_FILE: '/nowhere/secret' })).toContainEqual(expect.stringMatching(/^lookout\.yaml:2:\d+: HOOK_SECRET_FILE cannot be read: .*ENOENT/));
  });

  it('is named where it is missing or of another type, and never shown', async () => {
    expect(await problems(yaml, { ...others, HOOK_SECRET })).toEqual([expect.stringMatching(/^lookout\.yaml:2:\d+: the environment has no variable KEY$/)]);
    const lines = await problems(yaml, { ...env, SECONDS: 'soon', HOOK_SECRET: 'short-s3cret' });
    expect(lines.join('\n')).toContain('followers[0].timeout_seconds: must be a number, 0.1 to 300, not "soon"');
    const faults = [...lines, ...await problems(yaml, { ...env, HOOK_SECRET: 'short-s3cret' })].join('\n');
    expect(faults).toContain('secret');
    expect(faults).not.toMatch(/s3cret|k3y/);
  });
});
