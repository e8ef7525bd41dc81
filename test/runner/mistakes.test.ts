/** What the harnesses say of an author's mistakes: the author's own line first, and each thing once. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { nodeHarness, pythonHarness } from '../../src/runner/harness.ts';
import type { Runner } from '../../src/types.ts';
import { temporaryFolder, writeTree } from '../models/fixtures.ts';
import { failure, frames, never, python, runners, type Language } from './fixtures.ts';

const { start, logs } = runners();

/** A model of these files, whose program is main.py or main.mjs. */
async function startModel(language: Language, files: Readonly<Record<string, string>>): Promise<Runner> {
  const folder = await writeTree(await temporaryFolder(), files);
  const setup = { name: 'mistaken', folder, weights_folders: [], work_folder: folder, options: {} };
  const words = language === 'python' ? pythonHarness(python, join(folder, 'main.py'), setup) : nodeHarness(process.execPath, join(folder, 'main.mjs'), setup);
  return start({ ...words, cwd: folder, env: { PYTHONDONTWRITEBYTECODE: '1' } });
}

interface Mistake {
  readonly what: string;
  readonly language: Language;
  readonly files: Readonly<Record<string, string>>;
  /** What follows `the runner gave up before it was ready: `, up to the last words. */
  readonly says: string;
}

const MISTAKES: readonly Mistake[] = [
  { what: 'code that cannot be parsed', language: 'python', files: { 'main.py': 'import json\ndef predict_frame(frame, options:\n    return []\n' }, says: 'main.py:2: SyntaxError: ' },
  { what: 'a neighbour that cannot be parsed', language: 'python', files: { 'main.py': 'import near\n', 'near.py': '\nx = = 1\n' }, says: 'near.py:2: SyntaxError: invalid syntax.' },
  { what: 'a package that is not there', language: 'python', files: { 'main.py': '\nimport torch_is_not_here\n' }, says: "main.py:2: ModuleNotFoundError: No module named 'torch_is_not_here'\nWhat the model imports must stand in its requirements.txt or lie in its folder." },
  { what: 'an exception inside a library', language: 'python', files: { 'main.py': 'import json\ndef setup(context):\n    json.loads("{")\n' }, says: 'main.py:3: json.decoder.JSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 2 (char 1).' },
  { what: 'an exception of a package in an environment of the folder', language: 'python', files: { 'main.py': 'import sys\nsys.path.append("env/site-packages")\nimport far\n', 'env/site-packages/far.py': 'raise OSError("far")\n' }, says: 'main.py:3: OSError: far.' },
  { what: 'an exception without words', language: 'python', files: { 'main.py': 'def setup(context):\n    assert False\n' }, says: 'main.py:2: AssertionError.' },
  { what: 'a setup that returns a text', language: 'python', files: { 'main.py': 'def setup(context):\n    return "ready"\n' }, says: "setup returned a text, 'ready', not a dict with detector, labels and device, nor None." },
  { what: 'a setup that is async', language: 'python', files: { 'main.py': 'async def setup(context):\n    return None\n' }, says: 'setup returned a coroutine (define it with def, not with async def), not a dict' },
  { what: 'labels that are one text', language: 'python', files: { 'main.py': 'def setup(context):\n    return {"labels": "dog"}\n' }, says: "setup: labels is 'dog', not a list." },
  { what: 'a setup that takes nothing', language: 'python', files: { 'main.py': 'import json\ndef setup():\n    pass\n' }, says: 'main.py:2: TypeError: setup() takes 0 positional arguments but 1 was given.' },
  { what: 'another name for its function', language: 'python', files: { 'main.py': 'def detect(frame):\n    return []\n' }, says: 'main.py defines neither predict(frames, options) nor predict_frame(frame, options).' },
  { what: 'an interrupt', language: 'python', files: { 'main.py': 'def setup(context):\n    raise KeyboardInterrupt\n' }, says: 'main.py:2: KeyboardInterrupt.' },
  { what: 'code that cannot be parsed', language: 'node', files: { 'main.mjs': 'export const a = 1;\nexport const b = ;\n' }, says: "main.mjs:2: SyntaxError: Unexpected token ';'." },
  { what: 'a neighbour that cannot be parsed', language: 'node', files: { 'main.mjs': "import './lib/near.mjs';\n", 'lib/near.mjs': '\nconst = 1;\n' }, says: "lib/near.mjs:2: SyntaxError: Unexpected token '='." },
  { what: 'an import of what a module does not export', language: 'node', files: { 'main.mjs': "\nimport { gone } from './near.mjs';\n", 'near.mjs': '' }, says: 'main.mjs:2: SyntaxError: ' },
  { what: 'a package that is not there', language: 'node', files: { 'main.mjs': "\nimport sharp from 'surely-not-here';\n" }, says: "main.mjs:2: Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'surely-not-here' imported from " },
  { what: 'a package that is not there and is required', language: 'node', files: { 'main.mjs': "import { createRequire } from 'node:module';\ncreateRequire(import.meta.url)('surely-not-here');\n" }, says: "main.mjs:2: Error: Cannot find module 'surely-not-here'\nWhat the model imports must stand in its package.json or lie in its folder." },
  { what: 'a neighbour that is not there', language: 'node', files: { 'main.mjs': "import './lib/near.mjs';\n", 'lib/near.mjs': "\n\nimport '../gone.mjs';\n" }, says: 'lib/near.mjs:3: Error [ERR_MODULE_NOT_FOUND]: Cannot find module ' },
  { what: 'an exception inside Node', language: 'node', files: { 'main.mjs': "import { readFileSync } from 'node:fs';\nexport const setup = () => readFileSync('gone.bin');\n" }, says: "main.mjs:2: Error: ENOENT: no such file or directory, open 'gone.bin'." },
  { what: 'data that is no JSON', language: 'node', files: { 'main.mjs': 'export const setup = () => {\n  JSON.parse("{");\n};\n' }, says: 'main.mjs:2: SyntaxError: ' },
  { what: 'another name for its function', language: 'node', files: { 'main.mjs': 'export const detect = () => [];\n' }, says: 'main.mjs exports neither predict(frames, options) nor predictFrame(frame, options).' },
  { what: 'a promise that nothing settles', language: 'node', files: { 'main.mjs': 'export const setup = () => new Promise(() => {});\n' }, says: 'main.mjs or its setup awaits a promise that nothing is left to settle.' },
  { what: 'an object that is thrown', language: 'node', files: { 'main.mjs': "export const setup = () => { throw { code: 'E_X' }; };\n" }, says: "{ code: 'E_X' }, which is no Error." },
  { what: 'nothing that is thrown', language: 'node', files: { 'main.mjs': 'export const setup = () => Promise.reject();\n' }, says: 'undefined, which is no Error.' },
  { what: 'what is no error but is thrown', language: 'node', files: { 'main.mjs': 'export const setup = () => { throw "enough"; };\n' }, says: 'enough.' },
];

describe('a model that does not start', () => {
  test.for(MISTAKES)('$language: $what', async ({ language, files, says }) => {
    const { message } = await failure(startModel(language, files));
    const [said = '', words] = message.split(' Its last words:\n');
    expect(said).toContain(`Model fixture: the runner gave up before it was ready: ${says}`);
    // The exception itself is in the message, and is not repeated below it.
    const [exception = ''] = says.replace(/^\S+:\d+: /, '').split('\n');
    if (exception.endsWith('.')) expect((words ?? '').split('\n').map((line) => line.trim())).not.toContain(exception.slice(0, -1));
  });
});

test('the log has the whole traceback, from the model\'s code on', async () => {
  await failure(startModel('python', { 'main.py': 'import near\ndef setup(context):\n    near.far()\n', 'near.py': 'def far():\n    raise OSError("no")\n' }));
  // Newer versions of Python underline what failed.
  expect(logs.filter((line) => !/^ *[~^]+$/.test(line)).map((line) => line.replace(/"\/.*\//, '"'))).toEqual([
    'Traceback (most recent call last):', '  File "main.py", line 3, in setup', '    near.far()', '  File "near.py", line 2, in far', '    raise OSError("no")', 'OSError: no',
  ]);
});

test('a model in CommonJS, or with a default export, is one too', async () => {
  const sees = '[{ class: "dog", confidence: 0.5 }]';
  for (const files of [
    { 'main.mjs': `export default { predictFrame: () => ${sees} };\n` },
    { 'main.mjs': 'export { default } from "./model.cjs";\n', 'model.cjs': `module.exports = { predictFrame: () => ${sees} };\n` },
  ]) {
    const runner = await startModel('node', files);
    expect((await runner.predict(frames(1), {}, never)).predictions).toEqual([{ index: 0, detections: [{ class: 'dog', confidence: 0.5 }] }]);
  }
});

test('a function that takes other arguments is named by its place, and what is no function by that name is passed over', async () => {
  const runner = await startModel('python', { 'main.py': 'import predict, setup\n\ndef predict_frame(frame):\n    return []\n', 'predict.py': '', 'setup.py': '' });
  expect((await runner.predict(frames(1), {}, never)).predictions).toEqual([
    { index: 0, error: { code: 'bad_frame', message: 'main.py:3: TypeError: predict_frame() takes 1 positional argument but 2 were given' } },
  ]);
});

test('an error that a model gives for a frame is cut too', async () => {
  for (const [language, files] of [
    ['python', { 'main.py': 'def predict_frame(frame, options):\n    return {"error": "x" * 20_000_000}\n' }],
    ['node', { 'main.mjs': "export const predictFrame = () => ({ error: 'x'.repeat(20_000_000) });\n" }],
  ] as const) {
    const runner = await startModel(language, files);
    expect((await runner.predict(frames(1), {}, never)).predictions).toEqual([{ index: 0, error: { code: 'bad_frame', message: 'x'.repeat(2000) } }]);
  }
});

test('an error is cut before it fills a record', async () => {
  const runner = await startModel('python', { 'main.py': 'def predict_frame(frame, options):\n    raise ValueError("x" * 100000)\n' });
  expect((await runner.predict(frames(1), {}, never)).predictions).toEqual([{ index: 0, error: { code: 'bad_frame', message: `main.py:2: ValueError: ${'x'.repeat(2000)}`.slice(0, 2000) } }]);
});

test('a model that closed its own output says what is wrong all the same', async () => {
  const runner = await startModel('python', { 'main.py': 'import os, sys\ndef setup(context):\n    sys.stdout.close(); sys.stderr.close(); os.closerange(0, 3)\ndef predict(frames, options):\n    raise OSError("no")\n' });
  expect((await failure(runner.predict(frames(1), {}, never))).message).toMatch(/the call failed: main\.py:5: OSError: no$/);
});

test('a model that sends its prints elsewhere, and has left its folder, loses the frame that it fails on alone', async () => {
  const model = `import os, sys
class Writer:
    def write(self, text):
        raise RuntimeError("not to be written to")
def setup(context):
    sys.stderr = Writer()
    os.makedirs("gone"); os.chdir("gone"); os.rmdir(os.getcwd())
def predict_frame(frame, options):
    if frame.index == 0:
        raise ValueError("bad")
    return []
`;
  const runner = await startModel('python', { 'main.py': model });
  expect((await runner.predict(frames(2), {}, never)).predictions).toEqual([
    { index: 0, error: { code: 'bad_frame', message: expect.stringMatching(/ValueError: bad$/) as string } }, { index: 1, detections: [] },
  ]);
});

test('a text that is a member of an enumeration is the text', async () => {
  const model = `from enum import Enum
class Label(str, Enum):
    DOG = "dog"
def setup(context):
    return {"detector": Label.DOG, "labels": [Label.DOG]}
def predict_frame(frame, options):
    return [{"class": Label.DOG, "confidence": 0.5, "track": Label.DOG, "attributes": {"a": Label.DOG}}]
`;
  const runner = await startModel('python', { 'main.py': model });
  expect(runner.ready).toMatchObject({ detector: 'dog', labels: ['dog'] });
  expect((await runner.predict(frames(1), {}, never)).predictions).toEqual([{ index: 0, detections: [{ class: 'dog', confidence: 0.5, track: 'dog', attributes: { a: 'dog' } }] }]);
});
