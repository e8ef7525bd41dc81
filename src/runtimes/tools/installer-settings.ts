/** The environment of an installer: how this host fetches packages, and nothing that says where they go. */
import { join } from 'node:path';
import { forInstallers, forPrograms, isFetching, type Environment } from '../../lib/environment.ts';
import { packageRoot } from '../../lib/package.ts';
import { ask } from './run.ts';

/** Takes the place of the installer's configuration files: what they say of fetching is in the variables. */
const NO_FILES = { pip: { PIP_CONFIG_FILE: '/dev/null' }, uv: { UV_NO_CONFIG: '1' } } as const;

/** `pip`: the folder that it is imported from; null: nothing will be fetched. */
export async function installerEnvironment(installer: 'pip' | 'uv', python: string, pip: string | null, signal: AbortSignal): Promise<Environment> {
  const script = join(packageRoot, 'runners/python/installers.py');
  const answer = pip === null ? '{}' : await ask({ file: python, args: ['-I', script, pip, installer], cwd: '/', env: forPrograms() }, signal);
  const inFiles = Object.entries(JSON.parse(answer) as Readonly<Record<string, string>>)
    .filter(([name]) => isFetching(installer, name))
    .map(([name, value]) => [`${installer}_${name.replaceAll('-', '_')}`.toUpperCase(), value] as const)
    // A variable wins over a file, as it does with the installer itself.
    .filter(([name]) => (process.env[name] ?? '') === '');
  return { ...forInstallers(), ...Object.fromEntries(inFiles), ...NO_FILES[installer] };
}
