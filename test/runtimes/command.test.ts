import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readCatalog } from '../../src/models/catalog.ts';
import { prepareModel } from '../../src/models/prepare.ts';
import { create } from '../../src/runtimes/command.ts';
import { never, temporaryFolder, writeTree } from '../models/fixtures.ts';

async function prepareScript(script: string): Promise<unknown> {
  const root = await writeTree(await temporaryFolder(), { 'models/m/model.yaml': 'runtime: command\nentry: run.sh\n', 'models/m/run.sh': script });
  await chmod(join(root, 'models/m/run.sh'), 0o755);
  const catalog = await readCatalog({ folders: [{ path: join(root, 'models'), origin: 'user' }], project: null, data_dir: join(root, 'data') });
  return prepareModel(await catalog.get('m'), create({ data_dir: join(root, 'data'), offline: true }), () => undefined, never);
}

test.for([
  ['#!/bin/sh\r\necho hello\r\n', /its program \S+run\.sh has line ends of Windows; save it with those of Unix$/],
  ['#! /usr/bin/no-such-shell -e\n', /its program \S+run\.sh begins with #!\/usr\/bin\/no-such-shell, which is not there$/],
] as const)('a first line that names no program is told: %j', async ([script, why]) => {
  await expect(prepareScript(script)).rejects.toMatchObject({ code: 'model_unavailable', message: expect.stringMatching(why) as string });
});

test.for(['#!/bin/sh\n', '#!/usr/bin/env sh\n', 'echo without one\n', ''])('a program may begin with %j', async (script) => {
  await prepareScript(script);
});
