/** Why a camera refused a login that may be right: it asks for one that ffmpeg cannot do. ffmpeg does not say so. */
import { connect as connectPlain } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { once } from 'node:events';
import { LookoutError } from '../../errors.ts';
import { parseChallenges } from '../http/authentication.ts';

const PATIENCE_MS = 3000;
const LONGEST_ANSWER = 16 * 1024;

/** The error itself, or one that says what the camera wants. Never throws: it only adds to what is known. */
export async function withLogin(error: LookoutError, url: string): Promise<LookoutError> {
  if (error.code !== 'stream_auth' || !/^rtsps?:/i.test(url) || !URL.canParse(url)) return error;
  const wanted = loginsIn(await describe(new URL(url)).catch(() => ''));
  if (wanted.length === 0 || wanted.some(isKnown)) return error;
  const inWords = wanted.map(({ scheme, fields }) => `${scheme} ${fields.get('algorithm') ?? ''}${fields.has('qop') ? ` with ${fields.get('qop') ?? ''}` : ''}`.trim()).join(', ');
  return new LookoutError('stream_auth', `the camera wants a login (${inWords}) that ffmpeg cannot do, so that the user name and password may be right: let the camera offer digest with MD5, or basic`, { cause: error });
}

type Login = ReturnType<typeof parseChallenges>[number];

function loginsIn(answer: string): readonly Login[] {
  return [...answer.matchAll(/^www-authenticate: *(.*)$/gim)].flatMap(([, header = '']) => parseChallenges(header));
}

/** To ffmpeg. */
function isKnown({ scheme, fields }: Login): boolean {
  const qop = (fields.get('qop') ?? 'auth').split(',').map((word) => word.trim().toLowerCase());
  return scheme === 'basic' || (scheme === 'digest' && /^md5(-sess)?$/i.test(fields.get('algorithm') ?? 'md5') && qop.includes('auth'));
}

/** The head of the camera's answer to one who has no login. */
async function describe({ protocol, hostname, port, pathname, search }: URL): Promise<string> {
  const host = hostname.replace(/^\[|\]$/g, '');
  const isTls = protocol === 'rtsps:';
  const place = { host, port: Number(port) || (isTls ? 322 : 554) };
  // As ffmpeg does it; and no secret is told.
  const socket = isTls ? connectTls({ ...place, rejectUnauthorized: false }) : connectPlain(place);
  const signal = AbortSignal.timeout(PATIENCE_MS);
  try {
    await once(socket, isTls ? 'secureConnect' : 'connect', { signal });
    socket.write(`DESCRIBE ${protocol}//${hostname}${port ? `:${port}` : ''}${pathname}${search} RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\n\r\n`);
    let answer = '';
    while (!answer.includes('\r\n\r\n') && answer.length < LONGEST_ANSWER) answer += (await once(socket, 'data', { signal }) as [Buffer])[0].toString('latin1');
    return answer;
  } finally {
    socket.destroy();
  }
}
