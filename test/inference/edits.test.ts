import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createEdits, inWords, type Edits, type Seen } from '../../src/inference/edits.ts';
import { modelIn } from '../models/fixtures.ts';

const FOLDER = '/models/sample';
const BEGIN = 1_000_000;

/** A look at a folder that holds these; each file changed last `changed` milliseconds after the beginning. */
function look(files: Readonly<Record<string, string>>, changed = 0, declared: readonly string[] = ['detector.py', 'model.yaml']): Seen {
  return {
    model: modelIn(FOLDER),
    files: new Map(Object.entries(files).map(([name, text]) => [join(FOLDER, name), { path: join(FOLDER, name), word: `${name} ${text}`, changed_ms: BEGIN + changed }])),
    declared: new Set(declared.map((name) => join(FOLDER, name))),
  };
}

function open(): { readonly edits: Edits; readonly told: string[]; readonly between: (before: Seen, after: Seen, at?: number) => string } {
  const told: string[] = [];
  const edits = createEdits((file) => told.push(file));
  return { edits, told, between: (before, after, at = 10_000) => inWords(edits.between(before, after, false, BEGIN + at)) };
}

it('names the files that changed, appeared or are gone', () => {
  const { between } = open();
  const before = look({ 'detector.py': '1', 'labels.txt': 'a', 'old.txt': '' });
  expect(between(before, before)).toBe('');
  expect(between(before, look({ 'detector.py': '2', 'labels.txt': 'a', 'new.txt': '' }))).toBe('detector.py changed, old.txt is gone, new.txt appeared');
  expect(between(before, look({}))).toBe('detector.py is gone, labels.txt is gone, old.txt is gone');
  expect(between(look({}), look({ a: '', b: '', c: '', d: '', e: '' }))).toBe('a appeared, b appeared, c appeared, 2 more');
});

it('tells that what is to run changed where no file did', () => {
  const { edits } = open();
  const before = look({});
  expect(inWords(edits.between(before, { ...before, model: modelIn(FOLDER, { section: 'pothole' }) }, false, BEGIN))).toBe('what is to run changed');
});

it('takes what appears while the model works, or a moment after, for its own, also when it changes later', () => {
  const { edits, told, between } = open();
  edits.begins(BEGIN);
  edits.begins(BEGIN + 500);
  edits.ends(BEGIN + 700);
  edits.ends(BEGIN + 1000);
  const before = look({ 'detector.py': '1' });
  expect(between(before, look({ 'detector.py': '1', 'state.sqlite': '1' }, 900))).toBe('');
  expect(between(before, look({ 'detector.py': '1', 'state.sqlite': '1', 'debug/1.jpg': '' }, 1500))).toBe('');
  expect(between(before, look({ 'detector.py': '1', 'state.sqlite': '2' }, 50_000), 51_000)).toBe('');
  expect(told).toEqual(['state.sqlite']);
  expect(edits.withoutOwn(look({ 'detector.py': '1', 'state.sqlite': '2' })).map(({ word }) => word)).toEqual(['detector.py 1']);
});

it('takes what appears while the model does not work for an edit', () => {
  const { edits, between } = open();
  edits.begins(BEGIN);
  edits.ends(BEGIN + 1000);
  expect(between(look({}), look({ 'helper.py': '' }, 4000))).toBe('helper.py appeared');
});

it('takes what the model is made of for edits, whenever it appears or changes', () => {
  const { edits } = open();
  edits.begins(BEGIN);
  const declared = ['detector.py', 'model.yaml', 'best.onnx'];
  const before = look({ 'detector.py': '1' }, 0, declared);
  for (let save = 0; save < 20; save += 1) {
    const changes = edits.between(before, look({ 'detector.py': `${save + 2}`, 'best.onnx': 'w' }, save, declared), false, BEGIN + save);
    expect(inWords(changes)).toBe('detector.py changed, best.onnx appeared');
    edits.obeyed(changes, BEGIN + save);
  }
});

it.each([
  ['a file that was there before', 'last.jpg', 3, (save: number) => ({ 'last.jpg': `${save}` })],
  ['new files in one folder', 'debug/<n>.jpg', 3, (save: number) => ({ [`debug/${save}.jpg`]: '' })],
  ['a file of code that is saved again and again', 'helper.py', 5, (save: number) => ({ 'helper.py': `${save}` })],
])('is misled by %s that change with every start so many times: %s, %i', (_what, _name, times, files) => {
  const { edits } = open();
  let obeyed = 0;
  for (let save = 1; save < 20; save += 1) {
    const changes = edits.between(look(files(save - 1)), look({ ...files(save - 1), ...files(save) }), false, BEGIN + 5000 * save);
    if (changes.length === 0) continue;
    obeyed += 1;
    edits.obeyed(changes, BEGIN + 5000 * save);
  }
  expect(obeyed).toBe(times);
});

it('obeys whoever edits a file now and then', () => {
  const { edits } = open();
  edits.begins(BEGIN);
  for (let save = 1; save < 20; save += 1) {
    const changes = edits.between(look({ 'labels.txt': '' }), look({ 'labels.txt': `${save}` }), false, BEGIN + 61_000 * save);
    expect(inWords(changes)).toBe('labels.txt changed');
    edits.obeyed(changes, BEGIN + 61_000 * save);
  }
});

it('leaves what appears while an environment is prepared to the runner that is started afterwards', () => {
  const { edits } = open();
  expect(edits.between(look({}), look({ 'fetched.onnx': '' }, 0, ['fetched.onnx']), true, BEGIN)).toEqual([]);
});

it('goes on taking for an edit what a runner is being started for, whatever happens meanwhile', () => {
  const { edits, told } = open();
  const works = look({ 'labels.txt': 'a', 'helper.py': '1' });
  const now = look({ 'labels.txt': 'b', 'helper.py': '2', 'new.bin': '' });
  const words = 'labels.txt changed, helper.py changed, new.bin appeared';
  edits.obeyed(edits.between(works, now, false, BEGIN), BEGIN);
  for (let at = 2000; at < 120_000; at += 2000) expect(inWords(edits.between(works, now, true, BEGIN + at))).toBe(words);
  expect(edits.between(now, now, true, BEGIN)).toEqual([]);
  expect([told, edits.withoutOwn(now)]).toEqual([[], [...now.files.values()]]);
});

it('takes code for an edit also where it appears while the model works', () => {
  const { edits, between } = open();
  edits.begins(BEGIN);
  expect(between(look({}), look({ 'helper.py': '', 'state.sqlite': '' }, 500))).toBe('helper.py appeared');
});

it('obeys a file again that was saved too often, once it was left alone for a while', () => {
  const { edits, told } = open();
  const save = (text: string, at: number): string => {
    const changes = edits.between(look({ 'labels.txt': '' }), look({ 'labels.txt': text }, at), false, BEGIN + at);
    edits.obeyed(changes, BEGIN + at);
    return inWords(changes);
  };
  expect([1, 2, 3, 4].map((time) => save(`${time}`, 10_000 * time))).toEqual([...Array<string>(3).fill('labels.txt changed'), '']);
  expect([save('5', 400_000), save('6', 900_000), told]).toEqual(['', '', ['labels.txt']]);
  expect(save('7', 1_600_000)).toBe('labels.txt changed');
});
