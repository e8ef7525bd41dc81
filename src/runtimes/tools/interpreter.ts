/** Finds a Python that can make virtual environments, and asks it what it is. */
import { LookoutError } from '../../errors.ts';
import type { Facts } from '../../models/fingerprint.ts';
import { forModels, forPrograms } from '../../lib/environment.ts';
import { ask, ToolFailed } from './run.ts';

export interface Interpreter {
  readonly path: string;
  readonly version: string;
  /** The pip that comes with it, as a wheel that runs from any environment without being installed there. */
  readonly pip: string;
  readonly facts: Facts;
}

const CANDIDATES = ['python3.12', 'python3.11', 'python3.10', 'python3'];

/** `venv` and the wheel of pip come in a package of their own on Debian: without it the import or the search fails. */
const QUESTION = `
import ensurepip, glob, json, os, platform, sys, sysconfig, venv
assert sys.version_info >= (3, 9), "older than 3.9"
folders = [os.path.join(os.path.dirname(ensurepip.__file__), "_bundled"), sysconfig.get_config_var("WHEEL_PKG_DIR") or "", "/usr/share/python-wheels"]
wheels = [wheel for folder in folders if folder for wheel in sorted(glob.glob(os.path.join(folder, "pip-*.whl")))]
assert wheels, "it has no pip; Debian and Ubuntu keep it in python3-venv"
print(json.dumps({
    "path": sys.executable, "version": platform.python_version(), "pip": wheels[0],
    "facts": {
        "implementation": platform.python_implementation(), "version": "%d.%d" % sys.version_info[:2],
        "platform": sysconfig.get_platform(), "abi": sysconfig.get_config_var("SOABI") or "", "libc": " ".join(platform.libc_ver()),
    },
}))`;

/** $LOOKOUT_PYTHON when it is set, else the first candidate on the PATH that works: some are but names (pyenv's shims). */
export async function findInterpreter(signal: AbortSignal): Promise<Interpreter> {
  const asked = process.env['LOOKOUT_PYTHON'] ?? '';
  const failures: string[] = [];
  for (const candidate of asked === '' ? CANDIDATES : [asked]) {
    try {
      const answer = await ask({ file: candidate, args: ['-I', '-c', QUESTION], cwd: '/', env: forPrograms() }, signal);
      return JSON.parse(answer) as Interpreter;
    } catch (error) {
      signal.throwIfAborted();
      const said = error instanceof ToolFailed ? error.complaint : null;
      failures.push(`${candidate}: ${said ?? (error as Error).message.trim().split('\n').at(-1)?.trim() ?? ''}`);
    }
  }
  const what = asked === '' ? 'no Python that can make virtual environments was found' : 'LOOKOUT_PYTHON cannot make virtual environments';
  throw new LookoutError('model_unavailable', `${what} (${failures.join('; ')}); install python3 and python3-venv, or set LOOKOUT_PYTHON to another interpreter`);
}

/**
 * Whether an interpreter is there and can be executed. Throws when it fails in any other way: a host that is short of
 * memory or processes for a moment must not cost an environment of gigabytes.
 */
export async function starts(python: string, signal: AbortSignal): Promise<boolean> {
  try {
    await ask({ file: python, args: ['-I', '-c', ''], cwd: '/', env: forModels() }, signal);
    return true;
  } catch (error) {
    signal.throwIfAborted();
    // As every shell says it: 127 is not there, 126 cannot be executed.
    if (error instanceof ToolFailed && (error.code === 127 || error.code === 126)) return false;
    throw new Error(`the interpreter ${python} fails, though it is there; if that stays so, remove its environment: ${(error as Error).message}`, { cause: error });
  }
}
