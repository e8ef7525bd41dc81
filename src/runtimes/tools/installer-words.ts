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

/** What went wrong, where an installer or a probe says it among its last words: the line that its author looks for first. */
export function complaintIn(words: string): string | null {
  const lines = words.split('\n');
  return lines.findLast((line) => /^ERROR: (?!Exception:|ResolutionImpossible)\S/.test(line))
    ?? lines.findLast((line) => /^[\w.]*(Error|Exception|NotFound): \S/.test(line))
    // npm's others name its log, its request and itself.
    ?? lines.find((line) => /^npm error (?!code |errno |syscall |path |command |A complete log|\d+ *$)\S/.test(line) && !line.includes('://'))
    ?? lines.find((line) => /^(error: | *× )\S/.test(line))
    ?? null;
}
