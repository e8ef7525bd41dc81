/** Of what installers say, the terminal gets what is worth waiting for, without addresses. */
import { expect, test } from 'vitest';
import { complaintIn, createNpmWords, createPipWords } from '../../src/runtimes/tools/installer-words.ts';

test('counts npm\'s packages, once a second at most', () => {
  const told: string[] = [];
  let now = 0;
  const tell = createNpmWords((line) => told.push(line), () => now);
  const fetch = (name: string): void => { tell(`npm http fetch GET 200 https://registry.example/@scope/${name}/-/${name}-1.2.3.tgz 366ms (cache miss)`); };
  for (let number = 1; number <= 25; number += 1) {
    now += 100;
    fetch(`package-${number}`);
    tell('npm http fetch GET 200 https://registry.example/package 12ms (cache updated)');
  }
  for (const line of ['npm http fetch GET 404 https://registry.example/a/-/a-1.0.0.tgz 3ms', 'npm error code ENOTFOUND', 'npm warn deprecated a: see https://a.example', 'added 3 packages in 2s']) tell(line);
  expect(told).toEqual(['packages fetched: 10, the last one package-10-1.2.3', 'packages fetched: 20, the last one package-20-1.2.3']);
});

test('tells what pip and uv fetch, and how large it is', () => {
  const told: string[] = [];
  const tell = createPipWords((line) => told.push(line));
  for (const line of [
    'Looking in indexes: https://user:secret@index.example/simple', 'Collecting numpy', '  Using cached six-1.16.0-py2.py3-none-any.whl (11 kB)',
    '  Downloading numpy-2.1.0-cp311-cp311-manylinux_2_17_x86_64.whl.metadata (60 kB)', '  Downloading numpy-2.1.0-cp311-cp311-manylinux_2_17_x86_64.whl (16.3 MB)',
    '  Downloading https://download.example/whl/cpu/torch-2.4.0%2Bcpu-cp311-cp311-linux_x86_64.whl (195.0 MB)', 'Downloading torch (1.2GiB)', 'Downloading numpy (15.7MiB)',
    'Successfully installed numpy-2.1.0', 'Resolved 3 packages in 12ms', ' + numpy==2.1.0',
  ]) tell(line);
  expect(told).toEqual([
    'fetching numpy-2.1.0-cp311-cp311-manylinux_2_17_x86_64.whl (16.3 MB)', 'fetching torch-2.4.0%2Bcpu-cp311-cp311-linux_x86_64.whl (195.0 MB)', 'fetching torch (1.2 GB)', 'fetching numpy (15.7 MB)',
  ]);
});

test.for([
  ['pip', ['Looking in indexes: https://index.example/simple', 'ERROR: Could not find a version that satisfies the requirement a==9 (from versions: 1)', 'ERROR: No matching distribution found for a==9'], 'ERROR: No matching distribution found for a==9'],
  ['pip on a conflict', ['ERROR: Cannot install a==1 and a==2 because they conflict.', 'The conflict is caused by:', 'ERROR: ResolutionImpossible: for help visit https://pip.example'], 'ERROR: Cannot install a==1 and a==2 because they conflict.'],
  ['pip that fails itself', ['ERROR: Exception:', 'Traceback (most recent call last):', '  File "x.py", line 1', 'RecursionError: maximum recursion depth exceeded'], 'RecursionError: maximum recursion depth exceeded'],
  ['a probe', ['Traceback (most recent call last):', "ModuleNotFoundError: No module named 'a'"], "ModuleNotFoundError: No module named 'a'"],
  ['npm', ['npm http fetch GET 404 https://index.example/a', 'npm error code E404', 'npm error 404 Not Found - GET https://index.example/a', 'npm error 404', "npm error 404  'a@1' could not be found", 'npm error A complete log of this run can be found in: /x.log'], "npm error 404  'a@1' could not be found"],
  ['uv', ['  × No solution found when resolving dependencies:', '  ╰─▶ Because a was not found'], '  × No solution found when resolving dependencies:'],
  ['nobody', ['something', 'else'], null],
] as const)('finds what went wrong in what was said by %s', ([, lines, complaint]) => {
  expect(complaintIn(lines.join('\n'))).toBe(complaint);
});
