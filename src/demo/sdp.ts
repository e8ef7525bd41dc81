/** The session description that clients get, made from the one that ffmpeg announced. */

/** Keeps ffmpeg's media section (format, parameter sets) and writes a live camera's session around it. */
export function describeLive(announced: string, title: string): string {
  const lines = announced.split(/\r?\n/).filter((line) => line !== '');
  const media = lines.slice(lines.findIndex((line) => line.startsWith('m='))).filter((line) => !line.startsWith('a=control:'));
  return [
    'v=0',
    'o=- 0 0 IN IP4 127.0.0.1',
    `s=${title}`,
    'c=IN IP4 0.0.0.0',
    't=0 0',
    'a=control:*',
    'a=range:npt=now-',
    ...media,
    `a=control:${TRACK}`,
    '',
  ].join('\r\n');
}

/** The last part of the only track's URL. */
export const TRACK = 'trackID=0';
