/** Of what installers say, the terminal gets what is worth waiting for, without addresses. */
import { expect, test } from 'vitest';
import { createNpmWords, createPipWords } from '../../src/runtimes/tools/installer-words.ts';

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
