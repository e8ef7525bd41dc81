/** Which texts may be the address of a stream: in requests, in lookout.yaml. */

/** Blanks and quotes would hide the end of a password from those who look for it in a line; file names may have them. */
export function isStreamUrl(text: string): boolean {
  return text.length <= 2048 && !/\p{Cc}/u.test(text) && /^(push:|file:.+|[a-z][a-z0-9+.-]*:\/\/[^\s"'<>]+)$/i.test(text);
}

export const STREAM_URL_IN_WORDS = 'must be an address such as rtsp://192.168.1.20:554/stream, in which a blank is %20 and a quote %22';
