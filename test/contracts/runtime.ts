/** What every runtime keeps to. It runs on the model of the runtime's own name in test/fixtures/models. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Member } from '../../src/lib/family.ts';
import { readCatalog } from '../../src/models/catalog.ts';
import { prepareModel } from '../../src/models/prepare.ts';
import type { Context } from '../../src/runtimes/tools/start.ts';
import type { Model, Runtime } from '../../src/types.ts';
import { framesNamed, listen, never, temporaryFolder } from '../models/fixtures.ts';

export type RuntimeMember = Member<Context, Runtime>;

const MODELS = join(import.meta.dirname, '../fixtures/models');

export function runtimeContract(name: string, member: RuntimeMember): void {
  describe(`the runtime ${name}`, () => {
    const arrange = async (): Promise<{ model: Model; runtime: Runtime }> => {
      const root = await temporaryFolder();
      await cp(join(MODELS, name), join(root, 'models', name), { recursive: true });
      const catalog = await readCatalog({ folders: [{ path: join(root, 'models'), origin: 'user' }], project: null, data_dir: join(root, 'data') });
      return { model: await catalog.get(name), runtime: member.create({ data_dir: join(root, 'data'), offline: true }) };
    };

    test('prepares once and starts runners that answer every frame', async () => {
      const { model, runtime } = await arrange();
      const first = await prepareModel(model, runtime, () => undefined, never);
      const again = listen();
      const second = await prepareModel(model, runtime, again.tell, never);
      expect(again.lines).toEqual([]);
      expect(second.fingerprint).toBe(first.fingerprint);

      const runner = await second.start(() => undefined, never);
      try {
        const { predictions } = await runner.predict(framesNamed('/a.jpg', '/b.jpg'), {}, never);
        const detections = [{ class: 'seen', confidence: 0.5, box: [1, 2, 3, 4] }];
        expect(predictions).toEqual([{ index: 0, detections }, { index: 1, detections }]);
      } finally {
        await runner.close();
      }
    });

    test('says which program is missing', async () => {
      const { model, runtime } = await arrange();
      await expect(prepareModel({ ...model, entry: 'no-such-program' }, runtime, () => undefined, never)).rejects.toMatchObject({
        code: 'model_unavailable',
        message: expect.stringContaining(`model ${name}: its program no-such-program`) as string,
      });
    });

    test('names a folder that was meant for a program', async () => {
      const { model, runtime } = await arrange();
      await expect(prepareModel({ ...model, entry: model.folder }, runtime, () => undefined, never)).rejects.toMatchObject({
        code: 'model_unavailable', message: `model ${name}: its program ${model.folder} is a folder; name the file in it`,
      });
    });

    test('stops at once when it is cancelled', async () => {
      const { model, runtime } = await arrange();
      const began = Date.now();
      await expect(prepareModel(model, runtime, () => undefined, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
      expect(Date.now() - began).toBeLessThan(1_000);
    });
  });
}
