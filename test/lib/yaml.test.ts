/** Texts in YAML and JSON, and where things stand in them. */
import { expect, test } from 'vitest';
import { parseYaml, pathOf } from '../../src/lib/yaml.ts';

const TEXT = ['a: 1', 'list:', '  - name: x', '  - &second {name: y, 7: seven}', 'again: *second', 'empty:', ''].join('\n');

test('finds keys, values, items and what aliases stand for', () => {
  const { position, values, faults } = parseYaml('f.yaml', TEXT);
  expect(faults).toEqual([]);
  expect(values()).toMatchObject({ value: { a: 1, list: [{ name: 'x' }, { name: 'y' }], again: { name: 'y' }, empty: null } });
  expect(position(['a'], 'key')).toBe('f.yaml:1:1');
  expect(position(['a'], 'value')).toBe('f.yaml:1:4');
  expect(position(['list', 0, 'name'], 'value')).toBe('f.yaml:3:11');
  expect(position(['list', 1, 7], 'value')).toBe('f.yaml:4:26');
  expect(position(['again', 'name'], 'value')).toBe('f.yaml:4:20');
});

test('names what is nearest where there is nothing', () => {
  const { position } = parseYaml('f.yaml', TEXT);
  expect(position(['list', 0, 'absent', 'deep'], 'value')).toBe('f.yaml:3:5');
  expect(position(['empty'], 'value')).toBe('f.yaml:6:1');
  expect(parseYaml('f.yaml', '').position(['a'], 'key')).toBe('f.yaml:1:1');
});

test('still reads a text with a key that is there twice, but none with broken syntax', () => {
  expect(parseYaml('f.yaml', 'a: 1\na: 2\n')).toMatchObject({ faults: ['f.yaml:2:1: a is there twice'], broken: false });
  expect(parseYaml('f.json', '{"a": [1, }')).toMatchObject({ faults: [expect.stringMatching(/^f\.json:1:\d+: /), expect.anything()], broken: true });
});

test('says that a text with a colon is to be quoted', () => {
  for (const text of ['streams:\n  - camera_id: SHIP-7\n    url: push:\n', 'streams: [{camera_id: SHIP-7, url: push:}]', 'name: gate: north']) {
    expect(parseYaml('f.yaml', text).faults).toEqual([expect.stringMatching(/^f\.yaml:\d:\d+: .*; a text that ends with a colon, or has one before a blank, must be put in quotes$/)]);
  }
});

test('says why there are no values', () => {
  const bomb = ['a: &a [x,x,x,x,x,x,x,x,x,x]', ...['b', 'c', 'd', 'e'].map((name, index) => `${name}: &${name} [${Array(10).fill(`*${'abcd'.charAt(index)}`).join()}]`)];
  expect(parseYaml('f.yaml', bomb.join('\n')).values()).toEqual({ fault: expect.stringMatching(/^f\.yaml:1:1: /) as string });
  expect(parseYaml('f.yaml', 'a: *nothing').values()).toEqual({ fault: expect.stringMatching(/^f\.yaml:1:1: /) as string });
});

test('reads JSON pointers', () => {
  expect(pathOf('')).toEqual([]);
  expect(pathOf('/streams/0/a~1b~0c')).toEqual(['streams', 0, 'a/b~c']);
});
