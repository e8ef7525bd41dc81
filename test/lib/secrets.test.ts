import { describe, expect, it } from 'vitest';
import { hideCredentials, hiderOf, shownAddress } from '../../src/lib/secrets.ts';
import { complaintError, silenceError } from '../../src/sources/ffmpeg/complaint.ts';

describe('hiding credentials', () => {
  it.each([
    ['rtsp://user:secret@10.0.0.1:554/stream', 'rtsp://***@10.0.0.1:554/stream'],
    ['rtsp://user@host/x', 'rtsp://***@host/x'],
    ['rtsp://user:p@ss@host/x', 'rtsp://***@host/x'],
    ['rtsp://user:p:ss@host/x', 'rtsp://***@host/x'],
    ['rtsp://user:pa/ss@host/x', 'rtsp://***@host/x'],
    ['rtsp://user:12/34@host/x', 'rtsp://***@host/x'],
    ['rtsp://user:p#s?s@host/x', 'rtsp://***@host/x'],
    ['rtsp://user:p%40s@host/x', 'rtsp://***@host/x'],
    ["rtsp://user:it's@host/x", 'rtsp://***@host/x'],
    ['HTTPS://user:secret@host/x', 'HTTPS://***@host/x'],
    ['rtsp://h/live?user=admin&password=secret&channel=1', 'rtsp://h/live?user=***&password=***&channel=1'],
    ['http://h/videostream.cgi?loginuse=a&loginpas=secret', 'http://h/videostream.cgi?loginuse=***&loginpas=***'],
    ['rtsp://h/live?secret', 'rtsp://h/live?***'],
    ['rtsp://h:7103/h264?authbasic=Zq@8c`Z#k%p{X)NH', 'rtsp://***'],
    ["no 'rtsp://[::1]/x?password=a@b' there", "no 'rtsp://***' there"],
    ['http://h/snap.cgi?pwd=secret', 'http://h/snap.cgi?pwd=***'],
    ['rtsp://h/user=admin_password=secret_channel=1.sdp', 'rtsp://h/user=admin_password=***'],
    ["Impossible to open 'rtsp://u:p@h/x'", "Impossible to open 'rtsp://***@h/x'"],
    ['rtsp://a:b@c/x and http://d:e@f/y', 'rtsp://***@c/x and http://***@f/y'],
    ['rtmp://a.example/live2/abcd-efgh', 'rtmp://a.example/***'],
    ["cannot open 'rtmps://u:p@a.example:443/app/key': gone", "cannot open 'rtmps://***@a.example:443/***': gone"],
  ])('turns %s into %s', (text, hidden) => {
    expect(hideCredentials(text)).toBe(hidden);
  });

  it.each(['rtsp://10.0.0.1:554/stream?channel=1&subtype=0', 'http://h/?action=stream', 'is this it? a=b', 'http://host/', 'mail me@example.org', 'no address', '12:30 @ the gate'])('leaves "%s" as it is', (text) => {
    expect(hideCredentials(text)).toBe(text);
  });
});

it.each(['a.', 'a://', 'a://b?', 'rtmp://'])('a long word of %s takes no time', (piece) => {
  const began = performance.now();
  hideCredentials(piece.repeat(100_000 / piece.length));
  expect(performance.now() - began).toBeLessThan(500);
});

it.each(['a://', 'a://b?', 'a://b/', 'rtmp://', 'a.', 'a-'])('nor do many words of %s that are as long as a line may be', (piece) => {
  const word = `${piece.repeat(4000 / piece.length)}://`;
  const began = performance.now();
  for (let times = 0; times < 200; times += 1) hideCredentials(word);
  expect(performance.now() - began).toBeLessThan(1000);
});

it('of many addresses in one word nothing is shown', () => {
  const addresses = (count: number): string => Array.from({ length: count }, (_, index) => `rtsp://10.0.0.${index}/x`).join();
  expect([hideCredentials(addresses(16)), hideCredentials(`see ${addresses(17)} there`)]).toEqual([addresses(16), 'see *** there']);
});

it('of an address that is too long nothing is shown', () => {
  expect(hideCredentials(`cannot open rtsp://user:${'s3cret'.repeat(1000)}@camera/1: refused`)).toBe('cannot open *** refused');
});

describe('an address whose path is the secret', () => {
  it.each([
    ['rtsps://192.168.1.1:7441/kX3bQ9ZtVw1LpR7s?enableSrtp', 'rtsps://192.168.1.1:7441/***'],
    ['https://h/snap/6f1ed002-ab55-4e3c-9c3c-5f2d1f0a7b11/a.jpg', 'https://h/***'],
    ['http://u:p@h/d41d8cd98f00b204e9800998ecf8427e', 'http://***@h/***'],
    ['rtmp://h/live/key', 'rtmp://h/***'],
    ...['ZqDr^aC$FAisJFKf', 'ZqaKK3KO[No;LN-j', 'Zq%3A-mmbWA2s%267%2Ak-', 'ZqB2^S8/*D*aGazd', 'ZqjQ8/._85`tK,ut', 'ZqEa3%5C%5Eic%5ESvs%21%26H'].map((key) => [`http://h/cgi/${key}/snap`, 'http://h/***']),
  ])('%s is shown by host only', (url, shown) => {
    expect(shownAddress(url)).toBe(shown);
  });

  it.each([
    '/Streaming/Channels/101', '/cam/realmonitor?channel=1&subtype=0', '/h264Preview_01_main', '/axis-media/media.amp', '/onvif-media/media.amp?profile=1', '/live/ch00_0',
    '/videoMain', '/ISAPI/Streaming/channels/102/httpPreview', '/axis-cgi/mjpg/video.cgi', '/unicaststream/1', '/StreamingSetting', '/VideoInput/1/h264/1', '/cam1080p25fps/main', '/h264_ulaw.sdp',
    '/LiveChannel/0/media.smp', '/front-door_2', '/ch01.264', '/bcs/channel0_main.bcs', '/a@b'.slice(0, 2),
  ])('%s is none', (path) => {
    expect(shownAddress(`rtsp://h${path}`)).toBe(`rtsp://h${path}`);
  });
});

/** As `rtsp://${login}@…` and the like: what may stand there beside blanks, quotes and angle brackets. */
const CHARACTERS = [...Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index)).filter((one) => !'"\'<>'.includes(one)), 'é', 'ß', '密'];

/** The same ones in every run. */
function createDice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

interface Secret {
  readonly url: string;
  /** Whichever of these is read in a text gives it away. */
  readonly forms: readonly string[];
  /** As ffmpeg splits the address: what it takes for the host, and the path. */
  readonly host: string;
  readonly path: string;
}

const KINDS: readonly ((secret: string) => string)[] = [
  (secret) => `rtsp://admin:${secret}@192.0.2.7/x`, (secret) => `rtsp://${secret}@192.0.2.7/x`, (secret) => `http://admin:${secret}@192.0.2.7:8080/auth`,
  (secret) => `rtsp://192.0.2.7/cam?user=admin&password=${secret}`, (secret) => `rtsp://192.0.2.7/h264?authbasic=${secret}`, (secret) => `http://192.0.2.7/none?usr=a&pwd=${secret}`,
  (secret) => `rtsps://admin:${secret}@192.0.2.7/x`, (secret) => `rtmp://192.0.2.7/live/${secret}`, (secret) => `srt://192.0.2.7:9000?passphrase=${secret}`,
];

function* secrets(count: number): Generator<Secret> {
  const dice = createDice(7);
  for (let index = 0; index < count; index += 1) {
    const text = `Zq${Array.from({ length: 6 + dice(40) }, () => CHARACTERS[dice(CHARACTERS.length)]).join('')}9Y`;
    const isEncoded = dice(2) === 0;
    const kind = KINDS[index % KINDS.length] ?? String;
    const inQuery = /[?&]\w+=S/.test(kind('S'));
    // A parameter ends where the next begins; what stands after a # is no part of it.
    const written = isEncoded ? encodeURIComponent(text) : inQuery ? text.replace(/[&#]/g, '') : text;
    const url = kind(written);
    const [, host = '', path = ''] = /^[a-z]+:\/\/([^/?#]*)(.*)$/.exec(url) ?? [];
    const plain = isEncoded ? text : written;
    const pieces = written.split(/[/?#@:]/).filter((piece) => piece.length >= 4);
    yield { url, host: host.replace(/^.*@/, ''), path, forms: [plain, written, encodeURIComponent(plain), url.includes('admin:') ? Buffer.from(`admin:${plain}`).toString('base64').slice(0, -4) : plain, plain.slice(0, 12), ...(inQuery ? [] : pieces)] };
  }
}

const leaks = (text: string, { forms }: Secret): readonly string[] => forms.filter((form) => text.includes(form));

it('none of 10,000 random secrets is left in what is said of its address', () => {
  for (const secret of secrets(10_000)) {
    const { url, host, path, forms: [plain = '', written = '', encoded = ''] } = secret;
    const hide = hiderOf(url);
    const said = [`Impossible to open '${url}'`, `tcp://${host}?timeout=1 failed`, `GET ${path} failed`, `no ${plain}.`, `x=${written};`, `(${encoded})`, `Basic ${Buffer.from(`admin:${plain}`).toString('base64')}`, url.slice(0, 60)].join('; ');
    const left = [...leaks(hide(said), secret), ...leaks(shownAddress(url), secret)];
    if (left.length > 0) expect({ url, left }).toEqual({ url, left: [] });
  }
});

/** What ffmpeg 5.1 said at level error of addresses that it could not open, with the parts that it repeats. */
const COMPLAINTS: readonly ((secret: Secret) => readonly string[])[] = [
  ({ url, host }) => [`Failed to resolve hostname ${host}: Name or service not known`, `Impossible to open '${url}'`, 'pipe:0: Input/output error'],
  ({ url, host }) => [`Connection to tcp://${host}?timeout=120000000 failed: Connection refused`, `Impossible to open '${url}'`, 'pipe:0: Connection refused'],
  ({ url, forms: [plain] }) => [`method DESCRIBE failed: 404 Not Found ${plain ?? ''}`, `Impossible to open '${url}'`, 'pipe:0: Server returned 404 Not Found'],
  ({ url }) => ['Port missing in uri', `Impossible to open '${url}'`, 'pipe:0: Invalid argument'],
  ({ url, path }) => ['HTTP error 401 Unauthorized', `Impossible to open '${url}'`, `pipe:0: no ${path}`],
  ({ url }) => [`Server error: Failed to play ${url.split('/').at(-1) ?? ''}; stream not found.`, `Impossible to open '${url}'`],
  ({ url }) => [`${url}: could not find codec parameters`],
];

it('none of some hundred is in the errors made of what ffmpeg said', () => {
  const texts: string[] = [];
  for (const secret of secrets(500)) {
    const hide = hiderOf(secret.url);
    for (const complaint of COMPLAINTS) {
      const words = complaint(secret);
      for (const error of [complaintError(words, false, 'tcp', hide), complaintError(words, true, 'tcp', hide), silenceError('no picture came', words, 0, hide)]) {
        texts.push(error.message);
        const left = leaks(error.message, secret);
        if (left.length > 0) expect({ url: secret.url, message: error.message, left }).toEqual({ url: secret.url, message: error.message, left: [] });
      }
    }
  }
  expect(texts).toContain('the camera could not be reached: Connection to tcp://192.0.2.7 failed: Connection refused');
});

it('the start of an address that ffmpeg took for its host is none of it', () => {
  const hide = hiderOf('rtsp://SECR/ET@192.0.2.7/x');
  expect(complaintError(['Failed to resolve hostname SECR: Name or service not known'], false, 'tcp', hide).message).toBe('the camera could not be reached: Failed to resolve hostname ***: Name or service not known');
});
