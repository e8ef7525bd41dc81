// Everything that must pass: the tests, and beside them the linter, which checks the types too and works while tests wait.
// What it complains of stands at the very end; when all is well, the last line is the tests' closing line.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants, setPriority } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(fileURLToPath(import.meta.url));

/** Resolves with its complaints, empty when there are none. */
async function lint() {
  const child = spawn('npm', ['run', '--silent', 'lint'], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  // Cameras and children that tests wait for have deadlines; this has none.
  setPriority(child.pid, constants.priority.PRIORITY_LOW);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => { said += text; });
  const [code] = await once(child, 'close');
  if (code === 0) return '';
  console.log('lint failed: what it says follows the tests');
  return `\nlint failed:\n${said}`;
}

const linted = lint();
const tests = spawn(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' });
// A terminal sends Ctrl-C to all of them: this one waits for what they say last.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => tests.kill());

const [code] = await once(tests, 'close');
const complaints = await linted;
process.stdout.write(complaints);
process.exitCode = complaints === '' ? code ?? 1 : 1;
