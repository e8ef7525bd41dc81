/** The examples of docs/follower-webhook.md, as they stand there: what each sends is what its service's documents ask for. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import * as webhook from '../../src/followers/webhook.ts';
import { interpolate } from '../../src/lib/interpolate.ts';
import type { Follower, Item } from '../../src/types.ts';
import { contextOf, eventItem } from '../contracts/follower.ts';
import { isForm, readForm } from '../helpers/form.ts';
import { startHook, type Hook } from '../helpers/hook.ts';

type Settings = webhook.WebhookSettings;
type Body = Readonly<Record<string, unknown>>;

const text = await readFile(new URL('../../docs/follower-webhook.md', import.meta.url), 'utf8');
const defaults = Object.fromEntries(Object.entries(webhook.settings).map(([name, schema]) => [name, schema.default ?? null]));
const VALUES: Readonly<Record<string, string>> = { SLACK_WEBHOOK_URL: 'https://hooks.slack.com/services/T0/B0/x', DISCORD_WEBHOOK_URL: 'https://discord.com/api/webhooks/1/x' };
const examples = [...text.matchAll(/```yaml\n(.*?)```/gs)].flatMap(([, yaml = '']) => {
  const { followers } = parse(interpolate(yaml, (name) => VALUES[name] ?? `${name.toLowerCase()}-0123456789`)) as { readonly followers: readonly (Partial<Settings> & { readonly name: string })[] };
  return followers;
});
/** As the context of a test has it. */
const picture = { name: 'picture.jpg', type: 'image/jpeg', bytes: Buffer.from('ffd8ffe000104a46494600010100000100010000ffd9', 'hex') };
const contentOf = (body: Body): Body => JSON.parse((body['payload_json'] ?? '{}') as string) as Body;
const odd = '<!channel> @everyone `*x*` "}, {"a": "b\n[link](http://evil.example)';

let hook: Hook;
beforeAll(async () => { hook = await startHook(); });
afterAll(() => hook.stop());

const settingsOf = (name: string): Settings => {
  const own = Object.entries(examples.find((one) => one.name === name) ?? {}).filter(([key]) => Object.hasOwn(webhook.settings, key));
  return { ...defaults, ...Object.fromEntries(own) } as unknown as Settings;
};

const at = (item: Item, secondsAgo = 0): Item => ({ ...item, time: new Date(Date.now() - secondsAgo * 1000).toISOString() });

/** What a follower of the example sends of the items. */
async function sentOf(name: string, items: readonly Item[], then?: (follower: Follower) => Promise<unknown>): Promise<readonly Body[]> {
  hook.requests.length = 0;
  const follower = webhook.create(contextOf({ ...settingsOf(name), url: hook.url, per_minute: null }));
  expect(await follower.deliver(items, new AbortController().signal)).toEqual([]);
  await then?.(follower);
  await follower.close();
  return hook.requests.map((request) => (isForm(request) ? readForm(request) : JSON.parse(request.body) as Body));
}

/** Of an event, of one that is too old, and of a test. */
const sentBy = (name: string): Promise<readonly Body[]> => sentOf(name, [
  at(eventItem(1), 7200), at(eventItem(2)), at(eventItem(2, { sequence: 1, state: 'going_on' })), at(eventItem(2, { sequence: 2, state: 'ended' })), at(eventItem(3, { class: odd, camera_id: 'a "gate"' })),
], (follower) => follower.test(new AbortController().signal));

describe('the examples', () => {
  it('are six, and have no fault', () => {
    expect(examples.map(({ name }) => name)).toEqual(['control-room', 'slack', 'discord', 'telegram', 'ntfy', 'pagerduty']);
    for (const { name } of examples) expect(webhook.fault(settingsOf(name)), name).toBeNull();
  });

  const begins = [/^gate: dog since /, /^1 alert between .* too old to be sent$/, /^a .*gate.*channel/, /^This is a test/];
  it.each([
    ['slack', 'text'], ['discord', 'content'], ['telegram', 'text'], ['ntfy', 'message'],
  ])('%s is told of what is too old, of what begins and of a test, and of nothing else', async (name, field) => {
    const texts = (await sentBy(name)).map((body) => String(body[field] ?? body['caption'] ?? contentOf(body)['content']).replace(/^`|`$/g, ''));
    expect(texts).toHaveLength(begins.length);
    begins.forEach((words, index) => { expect(texts[index]).toMatch(words); });
    for (const one of texts) expect(one).not.toContain('\n');
  });

  it.each([
    ['slack', ['gate: dog since']], ['discord', ['gate: dog since']], ['telegram', ['gate: dog since']], ['ntfy', ['gate: dog since']], ['pagerduty', ['trigger', 'resolve']],
  ])('%s is told once of what begins to alert later, as those are told who follow alerts', async (name, expected) => {
    const suppressed = { alert: false, suppressed: 'cooldown' } as const;
    const entries = [
      eventItem(4, suppressed), eventItem(4, { ...suppressed, sequence: 1, state: 'going_on' }),
      eventItem(4, { sequence: 2, state: 'going_on', alerts_now: true }), eventItem(4, { sequence: 3, state: 'going_on' }), eventItem(4, { sequence: 4, state: 'ended' }),
    ];
    const bodies = await sentOf(name, entries.filter(({ value }) => value['alert'] === true).map((item) => at(item)));
    expect(bodies).toHaveLength(expected.length);
    bodies.forEach((body, index) => { expect(JSON.stringify(body)).toContain(expected[index]); });
    for (const { dedup_key } of bodies) expect([undefined, eventItem(4).value['id']]).toContain(dedup_key);
  });

  it('Slack gets neither commands nor links', async () => {
    const [, , third] = await sentBy('slack');
    expect(third).toEqual({ text: expect.stringContaining('&lt;!channel&gt; @everyone') as unknown, mrkdwn: false, unfurl_links: false });
    expect(third?.['text']).not.toMatch(/[<>]/);
  });

  it('Discord calls nobody, reads no markup, and shows the picture', async () => {
    const [first, old, third] = await sentBy('discord');
    expect([first, old, third].map((body) => body?.['files[0]'])).toEqual([picture, undefined, picture]);
    expect(contentOf(third ?? {})).toEqual({ content: expect.stringMatching(/^`[^`]{10,2000}`$/) as unknown, allowed_mentions: { parse: [] } });
  });

  it('Telegram gets plain text for one chat, that names nobody, under a picture where there is one', async () => {
    const [, old, third] = await sentBy('telegram');
    const of = { chat_id: 'telegram_chat-0123456789' };
    expect(third).toEqual({ ...of, caption: expect.not.stringMatching(/@\w/) as unknown, photo: picture });
    expect(old).toEqual({ ...of, text: expect.stringContaining('too old') as unknown, link_preview_options: '{"is_disabled":true}' });
    expect(hook.requests.map(({ path }) => path)).toEqual(['/sendPhoto', '/hook', '/sendPhoto', '/hook']);
  });

  it('ntfy gets a message for its topic', async () => {
    const [first, second] = await sentBy('ntfy');
    expect(first).toEqual({ topic: 'ntfy_topic-0123456789', title: 'Lookout', message: expect.any(String) as unknown, tags: ['camera'], priority: 4 });
    expect(second).toMatchObject({ priority: 3 });
    expect(hook.requests[0]?.headers.authorization).toBe('Bearer ntfy_token-0123456789');
  });

  it('PagerDuty gets one incident for an event, its end, and no incident for a test', async () => {
    const [begun, old, ended, third, test] = await sentBy('pagerduty');
    const incident = (body: Body | undefined): unknown => [body?.['event_action'], body?.['dedup_key']];
    expect([begun, ended].map(incident)).toEqual([['trigger', eventItem(2).value['id']], ['resolve', eventItem(2).value['id']]]);
    expect(old).toMatchObject({ event_action: 'trigger', dedup_key: expect.stringMatching(/^too-old\/.{1,240}$/) as unknown, payload: { source: 'lookout', custom_details: null } });
    expect(third).toMatchObject({ event_action: 'trigger', payload: { source: 'a "gate"', custom_details: { class: odd } } });
    expect(test).toMatchObject({ event_action: 'resolve' });
    for (const body of [old, begun, ended, third, test]) {
      expect(body).toMatchObject({ routing_key: 'pagerduty_key-0123456789', payload: { severity: 'warning', summary: expect.stringMatching(/^.{1,1024}$/) as unknown } });
      expect(Number.isNaN(Date.parse(String((body?.['payload'] as Body)['timestamp'])))).toBe(false);
    }
  });
});

it('names every setting, with its default', () => {
  const [table = ''] = text.split('## What a request is');
  const rows = [...table.matchAll(/^\| `(\w+)` \| ([^|]*) \|/gm)].map(([, name, value]) => [name, value]);
  const inWords = (value: unknown): string => (value === undefined ? 'needed' : typeof value === 'object' ? 'none' : JSON.stringify(value));
  const expected = Object.entries(webhook.settings).map(([name, schema]) => [name, name === 'content_type' ? 'see left' : inWords(schema.default)]);
  expect(rows).toEqual(expected);
});
