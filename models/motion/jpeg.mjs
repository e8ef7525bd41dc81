/**
 * Whether a JPEG may be shown to a decoder that has seen others and will see more: it must mean the same to any.
 *
 * That is so when it is whole from its beginning to its end marker, brings every table that it uses, shows every
 * component (a missing one would be filled with what was in memory), has none of the words that ffmpeg keeps in mind,
 * and need not be turned.
 */
const KEPT_IN_MIND = /^(AVI1|AVID|CS=ITU601|Intel\(R\) JPEG|LJIF|MULTISCOPE|Metasoft|colr|mrfx|rloc|xfrm)/;
/** Exif's orientation, in either order of bytes, that is not 1. */
const TURNED = /^Exif[^]*(\x12\x01[^]{2}\x01\0{3}(?!\x01\0)|\x01\x12[^]{2}\0{3}\x01(?!\0\x01))/;
const [SOF0, SOF2, DHT, SOI, EOI, SOS, DQT, DRI, APP0, APP15, COM] = [0xc0, 0xc2, 0xc4, 0xd8, 0xd9, 0xda, 0xdb, 0xdd, 0xe0, 0xef, 0xfe];

export function standsAlone(jpeg) {
  if (jpeg.length < 4 || jpeg[0] !== 0xff || jpeg[1] !== SOI) return false;
  const known = { tables: new Set(), components: null, shown: new Set() };
  for (let at = nextMarker(jpeg, 2); at !== -1; at = nextMarker(jpeg, at)) {
    const kind = jpeg[at];
    if (kind === EOI) return known.components !== null && known.components.size === known.shown.size;
    const end = at + 3 > jpeg.length ? Infinity : at + 1 + jpeg.readUInt16BE(at + 1);
    if (end > jpeg.length || !learn(known, kind, jpeg.subarray(at + 3, end))) return false;
    at = end;
  }
  return false;
}

/** Where the next marker's kind stands. Inside a scan FF 00 is data, D0 to D7 restart it, and FF may fill up. */
function nextMarker(jpeg, from) {
  for (let at = jpeg.indexOf(0xff, from); at !== -1; at = jpeg.indexOf(0xff, at + 1)) {
    const kind = jpeg[at + 1];
    if (kind !== undefined && kind !== 0 && kind !== 0xff && (kind < 0xd0 || kind > 0xd7)) return at + 1;
  }
  return -1;
}

/** Takes in a segment; false where it is none that stands alone. */
function learn(known, kind, body) {
  if (kind === DQT) return readTables(body, (first) => [`Q${first & 15}`, 64 << (first >> 4)], known.tables);
  if (kind === DHT) return readTables(body, (first, at) => [`${first >> 4 ? 'AC' : 'DC'}${first & 15}`, 16 + body.subarray(at, at + 16).reduce((sum, count) => sum + count, 0)], known.tables);
  if (kind >= SOF0 && kind <= SOF2) return readFrame(known, kind === SOF2, body);
  if (kind === SOS) return readScan(known, body);
  if (kind === COM || (kind >= APP0 && kind <= APP15)) return ![KEPT_IN_MIND, TURNED].some((words) => words.test(body.toString('latin1')));
  return kind === DRI;
}

function readTables(body, describe, tables) {
  let at = 0;
  while (at < body.length) {
    const [name, length] = describe(body[at], at + 1);
    tables.add(name);
    at += 1 + length;
  }
  return at === body.length;
}

function readFrame(known, progressive, body) {
  if (known.components !== null || body.length < 9 || body.length !== 6 + 3 * body[5]) return false;
  known.progressive = progressive;
  known.components = new Map();
  for (let at = 6; at < body.length; at += 3) known.components.set(body[at], `Q${body[at + 2]}`);
  return known.components.size === body[5];
}

function readScan({ tables, components, progressive, shown }, body) {
  if (components === null || body.length !== 4 + 2 * body[0]) return false;
  const from = body.at(-3);
  const isRefined = body.at(-1) >> 4 !== 0;
  for (let at = 1; at < body.length - 3; at += 2) {
    const [id, choice] = [body[at], body[at + 1]];
    const needs = [components.get(id)];
    if (!progressive || (from === 0 && !isRefined)) needs.push(`DC${choice >> 4}`);
    if (!progressive || from > 0) needs.push(`AC${choice & 15}`);
    if (!needs.every((table) => tables.has(table))) return false;
    if (from === 0) shown.add(id);
  }
  return true;
}
