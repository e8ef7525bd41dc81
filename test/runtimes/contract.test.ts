import { expect, test } from 'vitest';
import { loadFamily } from '../../src/lib/family.ts';
import { runtimeContract, type RuntimeMember } from '../contracts/runtime.ts';

const members = await loadFamily<RuntimeMember>(new URL('../../src/runtimes/', import.meta.url));

test('the family holds the runtimes and nothing else', () => {
  expect([...members.keys()]).toEqual(['command', 'node', 'python']);
});

for (const [name, member] of members) runtimeContract(name, member);
