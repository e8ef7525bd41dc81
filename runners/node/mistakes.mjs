/** An author's mistakes in words that begin with the author's own line. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { Invalid } from './findings.mjs';

/** A record holds the errors of its frames. */
const SHOWN_CHARACTERS = 2000;

/** Says where in the code around `entry` an error comes from, and what it is; its stack goes to the log. */
export function explainer(entry) {
  const folder = realpathSync(dirname(entry));
  return (error) => {
    if (error instanceof Invalid) return error.message;
    console.error(error);
    const own = ownPlace(error, entry, folder);
    return `${own === null ? '' : `${relative(folder, own.file)}:${own.line}: `}${inWords(error)}`;
  };
}

export function inWords(error) {
  if (!(error instanceof Error)) return thrown(error).slice(0, SHOWN_CHARACTERS);
  const { name, code, message } = error;
  const said = message.split('\nRequire stack:')[0].slice(0, SHOWN_CHARACTERS);
  const missing = /^Cannot find (package|module) '[^./]/.test(message);
  return `${name}${/^ERR_/.test(code) ? ` [${code}]` : ''}${said && `: ${said}`}${missing ? '\nWhat the model imports must stand in its package.json or lie in its folder.' : ''}`;
}

function thrown(what) {
  return typeof what === 'string' && what !== '' ? what : `${inspect(what, { breakLength: Infinity })}, which is no Error`;
}

/** File and line of the model's code; null: nobody knows. */
function ownPlace(error, entry, folder) {
  const isOwn = (file) => file.startsWith(folder + sep) && !relative(folder, file).split(sep).includes('node_modules');
  const stack = String(error?.stack).split('\n');
  // What cannot be parsed or linked is shown above its stack.
  const places = stack.map((line, i) => (i === 0 ? /^()(\S.*):(\d+)$/ : /^ +at (async |.* \()?((?:file:\/\/)?\/.+?):(\d+):\d+\)?$/).exec(line))
    .flatMap((found) => (found === null ? [] : [{ file: pathOf(found[2]), line: found[3] }]));
  return places.find(({ file }) => isOwn(file)) ?? (isParsing(error) ? brokenFile(entry, folder, isOwn) : importer(String(error?.message), isOwn));
}

function pathOf(place) {
  return place.startsWith('file:') ? fileURLToPath(place) : place;
}

/** Data may be no JSON at any time, which is another matter. */
function isParsing(error) {
  return error instanceof SyntaxError && error.stack.includes('node:internal/modules/esm/');
}

/** Node tells of a module that cannot be parsed neither file nor line, unless it is asked about that very file. */
function brokenFile(entry, folder, isOwn) {
  const files = readdirSync(folder, { recursive: true }).filter((name) => /\.[cm]?js$/.test(name)).map((name) => join(folder, name)).filter(isOwn);
  for (const file of [entry, ...files]) {
    const { status, stderr } = spawnSync(process.execPath, ['--check', file], { encoding: 'utf8' });
    const [, line] = /:(\d+)$/m.exec(stderr) ?? [];
    if (status !== 0 && line !== undefined) return { file, line };
  }
  return null;
}

/** Of an import that leads nowhere Node tells the file alone. */
function importer(message, isOwn) {
  const [, name, file] = /^Cannot find (?:package|module) '(.+)' imported from (\/.+)$/.exec(message) ?? [];
  if (file === undefined || !isOwn(file)) return null;
  const line = readFileSync(file, 'utf8').split('\n').findIndex((text) => text.includes(basename(name)));
  return { file, line: line + 1 };
}
