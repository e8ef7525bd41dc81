import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { challenge, isAuthorized } from '../../src/demo/digest.ts';

const login = { user: 'viewer', password: 'pa"ss' };
const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

/** As a client answers, from the challenge alone. */
function authorize(method: string, nonce: string, user: string, password: string): string {
  const realm = /realm="([^"]*)"/.exec(challenge(nonce))?.[1] ?? '';
  const response = md5(`${md5(`${user}:${realm}:${password}`)}:${nonce}:${md5(`${method}:rtsp://host/street`)}`);
  return `Digest username="${user}", realm="${realm}", nonce="${nonce}", uri="rtsp://host/street", response="${response}"`;
}

describe('digest authentication', () => {
  it('lets the right user and password in', () => {
    expect(isAuthorized(authorize('DESCRIBE', 'n1', 'viewer', 'pa"ss'), 'DESCRIBE', 'n1', login)).toBe(true);
  });

  it.each([
    ['a wrong password', authorize('DESCRIBE', 'n1', 'viewer', 'guess')],
    ['a wrong user', authorize('DESCRIBE', 'n1', 'admin', 'pa"ss')],
    ['the answer to another connection', authorize('DESCRIBE', 'n2', 'viewer', 'pa"ss')],
    ['the answer for another method', authorize('PLAY', 'n1', 'viewer', 'pa"ss')],
    ['basic authentication', `Basic ${Buffer.from('viewer:pa"ss').toString('base64')}`],
    ['an empty digest', 'Digest '],
    ['nothing', undefined],
  ])('keeps out %s', (_, header) => {
    expect(isAuthorized(header, 'DESCRIBE', 'n1', login)).toBe(false);
  });
});
