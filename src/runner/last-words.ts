/** Keeps the last lines that a program wrote, for the error message when it fails. */

const MAX_LINES = 40;
const MAX_CHARACTERS = 8192;

export interface LastWords {
  readonly add: (lines: readonly string[]) => void;
  readonly text: () => string;
}

export function keepLastWords(): LastWords {
  const lines: string[] = [];
  let size = 0;
  return {
    add: (said) => {
      for (const line of said.slice(-MAX_LINES)) {
        lines.push(line);
        size += line.length;
      }
      while (lines.length > MAX_LINES || size > MAX_CHARACTERS) size -= lines.shift()?.length ?? size;
    },
    text: () => lines.join('\n'),
  };
}

/** The end of an error message. Lines that end one of `said`, the message so far, are not said again; null: nothing is. */
export function quoteLastWords(text: string | null, said = ''): string {
  if (text === null) return '';
  const news = said === '' ? text : text.split('\n').filter((line) => !said.split('\n').some((one) => one.endsWith(line))).join('\n');
  if (news !== '') return ` Its last words:\n${news.replace(/^/gm, '  ')}`;
  return text === '' ? ' It left no last words.' : '';
}
