/** The published schema: every record that can be made passes, and broken ones do not. */
import { describe, expect, it } from 'vitest';

import { enrich } from '../../src/record/enrich.ts';
import { checkRecord, RECORD_SCHEMAS } from '../../src/record/schema.ts';
import type { BatchRecord, Look } from '../../src/types.ts';
import { answer, dog, failure, fog, input, person } from './parts.ts';

const FORMATS = ['v1', 'v2', 'v3'] as const;
const ANSWERS: readonly (readonly Look[] | null)[] = [null, answer([], []), answer([dog], [dog, dog]), answer([person, fog], []), answer('torn', [dog]), answer('torn', 'torn'), failure()];
const SECTIONS = { animals: 'stray_animal', yolo: 'stray_animal', potholes: 'pothole', garbage: 'garbage', motion: null };

describe.each(FORMATS)('the schema of %s', (record_format) => {
  it('passes records of every combination of answers', () => {
    let made = 0;
    for (const animals of ANSWERS) for (const second of ANSWERS) for (const name of ['yolo', 'potholes', 'garbage', 'motion']) {
      const answers = Object.fromEntries(Object.entries({ animals, [name]: second }).filter((entry): entry is [string, readonly Look[]] => entry[1] !== null));
      if (Object.keys(answers).length === 0) continue;
      const bare = made % 2 === 0 ? { snapshot: null, host_ip: null, camera: { id: 'CAM-1', latitude: null, longitude: null } } : {};
      const record = enrich(input(answers, SECTIONS, { settings: { record_format, record_when: 'always', time_zone: 'Asia/Kolkata' }, ...bare }));
      if (record === null) throw new Error('always means always');
      expect(() => { checkRecord(JSON.parse(JSON.stringify(record)) as BatchRecord); }).not.toThrow();
      made += 1;
    }
    expect(made).toBe((ANSWERS.length ** 2 - 1) * 4);
  });

  it('refuses broken ones', () => {
    const good = enrich(input({ animals: answer([dog], []) }, SECTIONS, { settings: { record_format, record_when: 'always', time_zone: 'UTC' } }));
    const text = JSON.stringify(good);
    const broken: readonly (readonly [string, string])[] = [
      ['"camID":"CAM-1"', '"camID":1'],
      ['"Latitude":26.4499', '"Latitude":260.4'],
      ['"IP":"192.0.2.1"', '"IP":"127.0.1.1"'],
      ['"frame_base64":"', '"frame_base64":"data:image/jpeg;base64,'],
      ['"confidence":0.8765', '"confidence":8.765'],
      ['[10,20.5,110,220]', '[10,20.5,110]'],
      [',"frame":0', ''],
      ['"started_at":"2026-07-01T12:00:00.250+00:00"', '"started_at":"2026-07-01T12:00:00"'],
      ['"closed_by":"count"', '"closed_by":"chance"'],
      ['"file":"CAM-1_', '"file":"/frames/CAM-1_'],
      ['"width":640', '"width":0'],
      ['"error":null', '"error":"late"'],
      ['"inference_ms":12,', ''],
      ['"models":{', '"extra":1,"models":{'],
      ['"models":{', '"modules":{'],
      ['"Date":"01/07/2026', '"Date":"2026-07-01'],
    ];
    for (const [from, to] of broken) {
      const changed = text.replace(from, to);
      expect(changed, from).not.toBe(text);
      expect(() => { checkRecord(JSON.parse(changed) as BatchRecord); }, to).toThrow(/not as its schema says/);
    }
  });
});

describe('the schema of a finding', () => {
  const broken: readonly (readonly [string, string])[] = [
    ['"track":"p-7"', '"track":["p-7"]'],
    ['"polygon":[[10,20.5],', '"polygon":[[10],'],
    ['[[10,20.5],[110,20.5],[110,220]]', '[[10,20.5],[110,20.5]]'],
    ['"size":[4,5]', '"size":[4,0]'],
    ['"counts":[6,2,2,2,8]', '"counts":[6,2,2,2,-8]'],
    ['"counts":[6,2,2,2,8]', '"counts":"~"'],
    ['"counts":[6,2,2,2,8]', '"count":1'],
    ['{"x":55,"y":60}', '{"x":55}'],
    ['{"x":55,"y":60}', '{"x":55,"y":60,"z":1}'],
    ['"name":"nose"', '"name":1'],
    ['"bags":2', '"bags":[2]'],
    ['"embedding":[0.125,-3]', '"embedding":["a"]'],
    ['"embedding":[0.125,-3]', '"embedding":[]'],
    ['"extra":{', '"more":{'],
    ['"frame":0,"track"', '"track"'],
  ];

  it.each(broken)('refuses %s as %s', (from, to) => {
    const text = JSON.stringify(enrich(input({ scene: answer([person], []) }, { scene: null })));
    const changed = text.replace(from, to);
    expect(changed).not.toBe(text);
    expect(() => { checkRecord(JSON.parse(changed) as BatchRecord); }).toThrow(/not as its schema says/);
  });

  it('knows every field that a runner may say', () => {
    const { $defs } = RECORD_SCHEMAS.v1 as { $defs: { detection: { properties: object } } };
    expect(Object.keys($defs.detection.properties).toSorted()).toEqual([...Object.keys(person), 'frame', 'model'].toSorted());
  });
});

it('is standard JSON Schema with a name of its own for each format', () => {
  for (const format of FORMATS) {
    expect(RECORD_SCHEMAS[format]).toMatchObject({ $schema: 'https://json-schema.org/draft/2020-12/schema', $id: `urn:lookout:record:${format}` });
  }
});

it('refuses records of an unknown version', () => {
  const record = enrich(input({ animals: answer([], []) }));
  if (record === null) throw new Error('v1 records every batch');
  expect(() => { checkRecord({ ...record, schema_version: 9 }); }).toThrow('unknown schema_version 9');
});
