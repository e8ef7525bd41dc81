/** What the environment's TZ means, each in a process that was started with it: Node may tell otherwise where it changes later. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';

const CODE = pathToFileURL(join(import.meta.dirname, '../../dist/config/time-zone.js')).href;

function ask(TZ: string): { readonly trouble: unknown; readonly zone: string } {
  const script = `import { hostZone, hostZoneTrouble } from '${CODE}'; console.log(JSON.stringify({ trouble: hostZoneTrouble('system', process.env), zone: hostZone() }));`;
  return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8', env: { ...process.env, TZ } })) as ReturnType<typeof ask>;
}

it.each([
  ['IST-5:30', 'UTC', 'a name such as Asia/Kolkata'], ['"Asia/Kolkata"', 'UTC', 'a name such as Asia/Kolkata'], [':Nowhere/Town', 'UTC', 'a name such as Asia/Kolkata'],
  ['CET-1CEST,M3.5.0,M10.5.0/3', 'UTC', 'a name such as Asia/Kolkata'], ['/usr/share/zoneinfo/Nowhere', 'UTC', 'a name such as Asia/Kolkata'],
  // Intl knows them, and yet times would be in UTC.
  ['IST', 'UTC', 'Asia/Calcutta'], ['europe/berlin', 'UTC', 'Europe/Berlin'],
  ['/usr/share/zoneinfo/Europe/Berlin', 'UTC+01:00 all the year', 'Europe/Berlin'],
])('would be told otherwise than TZ=%s means it', (TZ, told, instead) => {
  expect(ask(TZ).trouble).toEqual({ told, instead });
});

it.each([
  ['Asia/Kolkata', 'Asia/'], [':Europe/Berlin', 'Europe/Berlin'], ['', 'UTC'], ['UTC0', 'UTC'], ['Africa/Abidjan', 'Africa/Abidjan'],
  // Forms without a name that Node takes as they are meant.
  ['MSK-3', 'UTC+03:00'], ['UTC+3', 'UTC-03:00'], ['GMT+5', 'UTC-05:00'],
])('is told as TZ=%s means it', (TZ, words) => {
  const { trouble, zone } = ask(TZ);
  expect(trouble).toBeNull();
  expect(zone).toContain(words);
});
