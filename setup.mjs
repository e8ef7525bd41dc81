// Sets up what Lookout needs on this machine: npm packages, ffmpeg, and with --test what the tests run against.
// Plain JavaScript without packages, because it runs before there are any.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(fileURLToPath(import.meta.url));
const forTests = process.argv.includes('--test');

const ffmpeg = process.env.LOOKOUT_FFMPEG || 'ffmpeg';
const works = (file, ...args) => spawnSync(file, args, { stdio: 'ignore' }).status === 0;

/** Debian's packages, and how to see that each is there. */
const needed = [
  { packages: ['ffmpeg'], there: () => works(ffmpeg, '-version') },
  ...(forTests
    ? [
        { packages: ['python3', 'python3-venv'], there: () => works('/usr/bin/python3', '-c', 'import venv, ensurepip') },
        // The client that cameras of the push-frame server have.
        { packages: ['python3-requests'], there: () => works('/usr/bin/python3', '-c', 'import requests') },
        // The browser will do: it takes twice the time.
        { packages: ['chromium-headless-shell'], there: () => existsSync('/usr/bin/chromium-headless-shell') || existsSync('/usr/bin/chromium') },
        { packages: ['faketime'], there: () => works('faketime', '-f', '+1h', 'true') },
        { packages: ['strace'], there: () => works('strace', '-V') },
        { packages: ['mosquitto'], there: () => existsSync('/usr/sbin/mosquitto') },
        { packages: ['postgresql', 'postgresql-postgis'], there: () => works('sh', '-c', 'ls /usr/lib/postgresql/*/bin/initdb /usr/share/postgresql/*/extension/postgis.control') },
        // For the README's own lines.
        { packages: ['curl'], there: () => works('curl', '--version') },
      ]
    : []),
];

function fail(message) {
  console.error(`setup: ${message}`);
  process.exit(1);
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) fail(`Node ${process.versions.node} is too old: install 20.19 or later`);
}

/** Installs npm packages, also those that build, when the lock file is not the one that was installed last. */
function installNpmPackages() {
  const lock = createHash('sha256').update(readFileSync(join(root, 'package-lock.json'))).digest('hex');
  const mark = join(root, 'node_modules', '.lookout-setup');
  if (existsSync(mark) ? readFileSync(mark, 'utf8') === lock : wereInstalledByHand()) return;
  console.log('setup: installing npm packages; 62 MB of them, 175 MB on disk, are libav for cheaper capture, which NPM_CONFIG_OMIT=optional leaves out');
  const { status } = spawnSync('npm', ['ci', '--include=dev', '--no-audit', '--no-fund'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) fail('npm ci failed: see above');
  writeFileSync(mark, lock);
}

const packagesIn = (file) => JSON.parse(readFileSync(join(root, file), 'utf8')).packages;
const INSTALLED = 'node_modules/.package-lock.json';

/** Whoever ran npm ci may have left out what is optional: that is not to be put in after all. */
function wereInstalledByHand() {
  if (!existsSync(join(root, INSTALLED))) return false;
  const installed = packagesIn(INSTALLED);
  return Object.entries(packagesIn('package-lock.json')).every(([path, { version, optional }]) => path === '' || optional || installed[path]?.version === version);
}

/** Compiler, linter and test runner come in a package for each kind of machine, all of them optional: where those were left out, this one's are needed all the same. */
function installToolsOfThisMachine() {
  const installed = packagesIn(INSTALLED);
  const { glibcVersionRuntime } = process.report.getReport().header;
  const fits = ({ os, cpu, libc = [] }) => os?.includes(process.platform) && cpu?.includes(process.arch) && (libc.length === 0 || libc.includes(glibcVersionRuntime ? 'glibc' : 'musl'));
  const missing = Object.entries(packagesIn('package-lock.json')).filter(([path, facts]) => facts.dev && facts.optional && fits(facts) && !installed[path]);
  if (missing.length === 0) return;
  const names = missing.map(([path, { version }]) => `${path.slice('node_modules/'.length)}@${version}`);
  console.log(`setup: installing ${names.join(', ')}`);
  const { status } = spawnSync('npm', ['install', '--no-save', '--omit=optional', '--no-audit', '--no-fund', ...names], { cwd: root, stdio: 'inherit' });
  if (status !== 0) fail('npm install failed: see above');
}

function installDebianPackages() {
  if (process.env.LOOKOUT_FFMPEG && !works(ffmpeg, '-version')) fail(`LOOKOUT_FFMPEG names ${ffmpeg}, which cannot be run`);
  const missing = needed.filter(({ there }) => !there()).flatMap(({ packages }) => packages);
  if (missing.length === 0) return;
  const install = `apt-get install -y --no-install-recommends ${missing.join(' ')}`;
  const asRoot = process.getuid?.() === 0;
  const prefix = asRoot ? [] : ['sudo', '-n'];
  if (!works('apt-get', '--version') || (!asRoot && !works('sudo', '-n', 'true'))) {
    fail(`missing: ${missing.join(', ')}. Type this, then try again:\n  sudo apt-get update && sudo ${install}`);
  }
  console.log(`setup: installing ${missing.join(', ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  // A new machine may still be busy with its own updates.
  const patience = ['-qq', '-o', 'DPkg::Lock::Timeout=300'];
  for (const words of [['apt-get', 'update', ...patience], missing.includes('postgresql') ? ['sh', '-c', withoutCluster([install, ...patience].join(' '))] : [...install.split(' '), ...patience]]) {
    const [file, ...args] = [...prefix, ...words];
    const { status, stdout, stderr } = spawnSync(file, args, { env, encoding: 'utf8' });
    if (status !== 0) fail(`${words.join(' ')} failed:\n${stdout}${stderr}`);
  }
  const still = needed.filter(({ there }) => !there()).flatMap(({ packages }) => packages);
  if (still.length > 0) fail(`installed, but not found: ${still.join(', ')}`);
}

/** Servers for tests that Debian lacks, from PyPI, in an environment of their own. */
function installPythonServers() {
  // All that its server needs for S3, and nothing for Amazon's other services.
  const wanted = ['moto[s3]==5.2.5', 'flask==3.1.3', 'flask-cors==6.0.5'].join(' ');
  const folder = join(root, 'node_modules', '.cache', 'moto');
  const mark = join(folder, '.lookout-setup');
  if (existsSync(mark) && readFileSync(mark, 'utf8') === wanted) return;
  console.log(`setup: installing ${wanted} for tests`);
  const python = join(folder, 'bin', 'python');
  for (const [file, ...args] of [['/usr/bin/python3', '-m', 'venv', '--clear', folder], [python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...wanted.split(' ')]]) {
    const { status, stdout, stderr } = spawnSync(file, args, { encoding: 'utf8' });
    if (status !== 0) fail(`${[file, ...args].join(' ')} failed:\n${stdout}${stderr}`);
  }
  writeFileSync(mark, wanted);
}

/** Debian's PostgreSQL makes a database of its own as it is installed, and starts it from then on: what tests need is the programs. */
function withoutCluster(install) {
  const folder = '/etc/postgresql-common/createcluster.d';
  const file = `${folder}/lookout-setup.conf`;
  return `mkdir -p ${folder} && echo create_main_cluster = off > ${file}; ${install}; status=$?; rm -f ${file}; rmdir --ignore-fail-on-non-empty ${folder}; exit $status`;
}

/** Builds of a revision have no number, and are trusted. */
function checkFfmpeg() {
  const [, version, major, minor] = /^ffmpeg version n?((\d+)\.(\d+)\S*)/.exec(spawnSync(ffmpeg, ['-version'], { encoding: 'utf8' }).stdout ?? '') ?? [];
  if (version && (major < 5 || (major === '5' && minor < 1))) fail(`ffmpeg ${version} is too old: install 5.1 or later, and name it in LOOKOUT_FFMPEG if it is not the first on the PATH`);
}

checkNode();
installNpmPackages();
installToolsOfThisMachine();
installDebianPackages();
if (forTests) installPythonServers();
checkFfmpeg();
