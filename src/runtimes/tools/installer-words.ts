/** What is worth telling of what an installer says, while somebody waits; all of it is in build.log, with the addresses. */
import type { Progress } from '../../types.ts';

/** Told each line of npm: how many packages have come, once a second at most. */
export function createNpmWords(step: Progress, now: () => number = performance.now.bind(performance)): Progress {
  let fetched = 0;
  let toldAt = now();
  return (line) => {
    const [, file] = /^npm http fetch GET 200 \S+\/([^/\s]+)\.tgz /.exec(line) ?? [];
    if (file === undefined) return;
    fetched += 1;
    if (now() - toldAt < 1000) return;
    toldAt = now();
    step(`packages fetched: ${fetched}, the last one ${file}`);
  };
}

/** Told each line of pip or uv: what is being fetched that is large enough to be waited for. */
export function createPipWords(step: Progress): Progress {
  return (line) => {
    const [, file, size, unit] = /^\s*Downloading (?:\S*\/)?([^/\s]+) \(([\d.]+) ?([MG])i?B\)/.exec(line) ?? [];
    if (file !== undefined) step(`fetching ${file} (${size ?? ''} ${unit ?? ''}B)`);
  };
}
