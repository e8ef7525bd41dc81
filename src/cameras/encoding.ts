/** The bytes of a table as spreadsheets save them, as text and back: UTF-8, UTF-16 with or without its mark, Windows-1252. */
import { LookoutError } from '../errors.ts';

export interface Encoding {
  readonly name: 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252';
  decode(bytes: Buffer): string;
  /** Throws `bad_request` where it has no such character. */
  encode(text: string): Buffer;
}

const MARK = '\ufeff';
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** Bytes 0x80 to 0x9f, where Windows-1252 is not Latin-1; TextDecoder of some versions of Node takes the one for the other. */
const WINDOWS_SIGNS = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ';
const WINDOWS_CHARACTERS = Array.from({ length: 256 }, (_, byte) => WINDOWS_SIGNS[byte - 0x80] ?? String.fromCharCode(byte));
const WINDOWS_BYTES = new Map(WINDOWS_CHARACTERS.map((character, byte) => [character, byte]));

const UTF8: Encoding = { name: 'utf-8', decode: (bytes) => bytes.toString('utf8'), encode: (text) => Buffer.from(text, 'utf8') };
const UTF16LE: Encoding = { name: 'utf-16le', decode: (bytes) => bytes.toString('utf16le'), encode: (text) => Buffer.from(text, 'utf16le') };
const UTF16BE: Encoding = {
  name: 'utf-16be',
  decode: (bytes) => Buffer.from(bytes.subarray(0, bytes.length - (bytes.length % 2))).swap16().toString('utf16le'),
  encode: (text) => Buffer.from(text, 'utf16le').swap16(),
};
const WINDOWS: Encoding = {
  name: 'windows-1252',
  decode: (bytes) => Array.from(bytes, (byte) => WINDOWS_CHARACTERS[byte]).join(''),
  encode: (text) => Buffer.from(Array.from(text, (character) => {
    const byte = WINDOWS_BYTES.get(character);
    if (byte === undefined) throw new LookoutError('bad_request', `the camera table is in Windows-1252, which has no ${character}; save it as UTF-8 first`);
    return byte;
  })),
};

export function encodingOf(bytes: Buffer): Encoding {
  for (const encoding of [UTF16LE, UTF16BE]) if (bytes.indexOf(encoding.encode(MARK)) === 0 || isPlain(encoding.decode(bytes.subarray(0, 4)))) return encoding;
  try {
    strict.decode(bytes);
    return UTF8;
  } catch {
    // Its only way to say that these bytes are no UTF-8.
    return WINDOWS;
  }
}

/** Two letters, blanks or signs as headers begin with. */
function isPlain(text: string): boolean {
  return /^[\t\r\n -~]{2}$/.test(text);
}
