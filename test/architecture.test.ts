/** The rules that no compiler knows: who may import whom, what a family's folder holds, which error codes there are. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ERRORS } from '../src/errors.ts';

const root = fileURLToPath(new URL('../src/', import.meta.url));
const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts')).sort();
const texts = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]));

/** Everybody's words. */
const WORDS = ['types.ts', 'types', 'errors.ts', 'words'];
/** What a part may import beside these, lib and itself. Nothing else may be imported from a part. */
const FRIENDS: Readonly<Record<string, readonly string[]>> = {
  capture: ['store'],
  clips: ['store'],
  pipeline: ['store', 'record'],
  inference: ['models', 'runner'],
  runtimes: ['runner', 'models'],
};
/** What puts the parts together: the commands, and the other files beside the folders. */
const isWiring = (part: string): boolean => part === 'commands' || (part.endsWith('.ts') && !WORDS.includes(part));
/** Libraries that are known in one place. */
const PLACES: Readonly<Record<string, RegExp>> = {
  'fluent-ffmpeg': /^lib\/ffmpeg-process\.ts$/,
  execa: /^(runner|runtimes|lib)\//,
  'proper-lockfile': /^lib\/lock\.ts$/,
  express: /^http\//,
  'prom-client': /^http\/metrics\.ts$/,
  compression: /^http\//,
  liquidjs: /^followers\/webhook\//,
  '@aws-sdk/client-s3': /^followers\/s3\//,
  '@aws-sdk/lib-storage': /^followers\/s3\//,
  mqtt: /^followers\/mqtt\//,
  pg: /^followers\/postgres\//,
};
const FAMILIES = ['runtimes', 'sources', 'pipeline/stages', 'followers'];

const partOf = (file: string): string => file.split('/')[0] ?? '';
const importsOf = (text: string): readonly string[] => [...text.matchAll(/^(?:import|export|\}) .*from '([^']+)';$|\bimport\('([^']+)'\)|^import '([^']+)';$/gm)].map(([, from, called, bare]) => from ?? called ?? bare ?? '');

interface Import {
  readonly from: string;
  /** A file below src, or a package. */
  readonly to: string;
  readonly own: boolean;
}

const imports: readonly Import[] = [...texts].flatMap(([from, text]) => importsOf(text).map((name) => {
  const own = name.startsWith('.');
  return { from, own, to: own ? normalize(join(dirname(from), name)) : name.split('/').slice(0, name.startsWith('@') ? 2 : 1).join('/') };
}));
const inWords = ({ from, to }: Import): string => `${from} imports ${to}`;

function mayImport({ from, to }: Import): boolean {
  const [importer, imported] = [partOf(from), partOf(to)];
  if (isWiring(importer)) return imported !== 'cli.ts' && (imported !== 'command-line.ts' || importer === 'cli.ts');
  if (importer === 'types.ts' || importer === 'types') return imported === 'types';
  if (importer === 'errors.ts') return false;
  if (importer === 'words') return WORDS.includes(imported);
  if (importer === 'lib') return imported === 'lib' || to === 'errors.ts';
  return importer === imported || imported === 'lib' || WORDS.includes(imported) || (FRIENDS[importer] ?? []).includes(imported);
}

describe('imports', () => {
  it('are found where they are', () => {
    expect(files.length).toBeGreaterThan(50);
    expect(importsOf("import { a } from './a.ts';\nexport * from './b.ts';\nconst c = await import('./c.ts');\nimport type { D } from 'd';")).toEqual(['./a.ts', './b.ts', './c.ts', 'd']);
  });

  it('go only where they may', () => {
    expect(imports.filter((one) => one.own && !mayImport(one)).map(inWords)).toEqual([]);
  });

  it('name files that are there, with their suffix', () => {
    expect(imports.filter(({ own, to }) => own && !files.includes(to)).map(inWords)).toEqual([]);
  });

  it('never name a member of a family: its folder is listed', () => {
    expect(imports.filter(({ own, to }) => own && FAMILIES.includes(dirname(to))).map(inWords)).toEqual([]);
  });

  it('bring each of these libraries into its one place', () => {
    expect(imports.filter(({ own, from, to }) => !own && PLACES[to]?.test(from) === false).map(inWords)).toEqual([]);
    for (const library of Object.keys(PLACES)) expect(imports.some(({ to }) => to === library), library).toBe(true);
  });
});

/** The packages that are loaded with these files at once, by what is imported for more than its types. */
function loadedWith(entries: readonly string[]): readonly string[] {
  const [waiting, seen, packages] = [[...entries], new Set(entries), new Set<string>()];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    for (const [, name = ''] of (texts.get(file) ?? '').matchAll(/^(?:import|export) (?!type )(?:[^;']*? from )?'([^']+)';$/gm)) {
      const to = normalize(join(dirname(file), name));
      if (!name.startsWith('.')) packages.add(name);
      else if (!seen.has(to)) waiting.push(to);
      seen.add(to);
    }
  }
  return [...packages].filter((name) => !name.startsWith('node:')).sort();
}

describe('what is loaded at once', () => {
  it('by each command line, which looks at the settings of all families, are few packages', () => {
    const members = files.filter((file) => FAMILIES.includes(dirname(file)));
    expect(loadedWith(['cli.ts', ...members])).toEqual(['ajv-formats', 'ajv/dist/2020.js', 'commander', 'image-size/types/jpg', 'image-size/types/png']);
  });

  it('by each capture host is what reads the size of a picture', () => {
    expect(loadedWith(['sources/feeds/host/main.ts'])).toEqual(['image-size/types/jpg', 'image-size/types/png']);
  });
});

describe('a family\'s folder', () => {
  it.each(FAMILIES)('%s holds only members, which are made by create', async (family) => {
    const members = files.filter((file) => dirname(file) === family);
    expect(members.length).toBeGreaterThan(0);
    for (const file of members) {
      const member = (await import(join(root, file))) as Record<string, unknown>;
      expect(member, file).toMatchObject({ create: expect.any(Function) as unknown, summary: expect.stringMatching(/\S/) as unknown });
    }
  });
});

describe('every file', () => {
  it('begins with a sentence that says what it is', () => {
    expect(files.filter((file) => !/^(#!.*\n)?\/\*\*(\n \*)? \S/.test(texts.get(file) ?? ''))).toEqual([]);
  });

  it('is short by and large', () => {
    const lengths = [...texts.values()].map((text) => text.split('\n').length).sort((a, b) => a - b);
    expect(lengths[Math.floor(lengths.length / 2)]).toBeLessThanOrEqual(80);
  });
});

describe('the table of errors', () => {
  const outside = [...texts].filter(([file]) => file !== 'errors.ts').map(([, text]) => text).join('\n');

  it('has every code that an error is made with', () => {
    const used = [...outside.matchAll(/new LookoutError\(\s*'(\w+)'/g)].map(([, code]) => code ?? '');
    expect(used.length).toBeGreaterThan(50);
    expect([...new Set(used)].filter((code) => !Object.hasOwn(ERRORS, code))).toEqual([]);
  });

  it('has no code that nothing uses', () => {
    expect(Object.keys(ERRORS).filter((code) => !outside.includes(`'${code}'`))).toEqual([]);
  });

  it('says of every code what to try', () => {
    for (const [code, { status, advice }] of Object.entries(ERRORS)) {
      expect(status, code).toBeGreaterThanOrEqual(400);
      expect(advice, code).toMatch(/^[a-z`].*[^.]$/);
    }
  });
});
