/** Rules of events over HTTP: as they are, and as they are changed. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { ruleOf } from '../../src/words/event-rules.ts';
import { createFakeFace } from '../helpers/fake-face.ts';
import { createSite, type Site } from './site.ts';

let site: Site;
beforeAll(async () => { site = await createSite(createFakeFace()); });
afterAll(() => site.close());
beforeEach(async () => {
  const all = Object.keys(ruleOf({ name: 'dogs' })).filter((option) => option !== 'name');
  await patch(Object.fromEntries(all.map((option) => [option, null])));
});

const DOGS = ruleOf({ name: 'dogs', confidence: 0.5, hours: '* 22 * * *' });
const patch = (json: unknown, name = 'dogs'): ReturnType<Site['send']> => site.send('PATCH', `/api/rules/${name}`, { json });

it('are listed with all that they say', async () => {
  expect(await site.send('GET', '/api/rules')).toMatchObject({ status: 200, json: { rules: [DOGS, ruleOf({ name: 'complaints' })] } });
  expect(await site.send('GET', '/api/rules/dogs')).toMatchObject({ status: 200, json: DOGS });
});

it('change where they are told to, and are again as lookout.yaml says, or as usual', async () => {
  const changed = { ...DOGS, confidence: 0.8, hours: '* * * * *', classes: ['dog'], daily_limit: 5 };
  expect(await patch({ confidence: 0.8, hours: '* * * * *', classes: ['dog'], daily_limit: 5 })).toMatchObject({ status: 200, json: changed });
  expect((await patch({ alert: false })).json).toEqual({ ...changed, alert: false });
  expect((await site.send('GET', '/api/rules/dogs')).json).toEqual({ ...changed, alert: false });
  expect((await patch({ confidence: null, hours: null, classes: null, daily_limit: null, alert: null, name: 'dogs' })).json).toEqual(DOGS);
});

it.each([
  [{}, 'The body must say'], [[], 'must be a JSON object'], [{ name: 'cats' }, 'name must stay'], [{ confidence: 2 }, 'confidence must be a number, 0 to 1, not 2.'], [{ confidnce: 0.5 }, 'confidnce unknown setting; did you mean confidence?'],
  [{ nothing: null }, 'nothing unknown setting'], [JSON.parse('{"__proto__": null}') as object, '__proto__ unknown setting'], [{ hours: 'at night' }, 'hours must be a cron expression'], [{ classes: [] }, 'classes must not be empty'], [{ min_frames: { seen: 3, of: 2 } }, 'seen is more than of'],
  [{ alert: 'no', cooldown_seconds: -1 }, 'alert must be true or false, not "no"; cooldown_seconds must be a number, 0 to 604800, not -1.'],
])('refuse %j in the words of the settings, and stay as they are', async (json, words) => {
  expect(await patch(json)).toMatchObject({ status: 400, json: { code: 'bad_request', error: expect.stringContaining(words) as string } });
  expect((await site.send('GET', '/api/rules/dogs')).json).toEqual(DOGS);
});

it('say at once what is wrong with ten thousand long keys, and not of each', async () => {
  const began = performance.now();
  const { status, json } = await patch(Object.fromEntries(Array.from({ length: 9_999 }, (_, index) => [`${'confidence'.repeat(8)}${index}`, 1])));
  expect([status, (json as { error: string }).error]).toEqual([400, expect.stringMatching(/^(confidence){4}confidenc… unknown setting; .*; 9979 more like these\.$/)]);
  expect(performance.now() - began).toBeLessThan(3000);
});

it('name those that there are to who asks for another', async () => {
  for (const method of ['GET', 'PATCH']) expect(await site.send(method, '/api/rules/cats', method === 'PATCH' ? { json: { alert: false } } : {})).toMatchObject({ status: 404, json: { code: 'not_found', error: 'No rule "cats"; rules are dogs, complaints.' } });
  expect(await site.send('GET', '/api/rules/%zz')).toMatchObject({ status: 400 });
  expect((await site.send('DELETE', '/api/rules/dogs')).status).toBe(405);
});
