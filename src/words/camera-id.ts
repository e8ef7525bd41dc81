/** Which texts may name a camera: they stand in URLs, tables and, percent-encoded, in file names. */

export function isCameraId(text: string): boolean {
  return /^[^\p{Cc}\p{Cs}/\\]{1,128}$/u.test(text) && text !== '.' && text !== '..';
}
