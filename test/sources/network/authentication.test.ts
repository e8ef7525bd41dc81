import { expect, it } from 'vitest';
import { answerTo } from '../../../src/sources/network/authentication.ts';

const mufasa = { user: 'Mufasa', password: 'Circle of Life' };
/** The challenge of RFC 7616, section 3.9.1. */
const challenge = (algorithm: string): string =>
  `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=${algorithm}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`;
const CNONCE = 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ';

it.each([
  ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
  ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
])('answers the challenge of RFC 7616 with %s as it says', (algorithm, response) => {
  expect(answerTo(challenge(algorithm), mufasa, CNONCE)?.('GET', '/dir/index.html')).toBe(
    'Digest username="Mufasa", realm="http-auth@example.org", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", uri="/dir/index.html", '
    + `response="${response}", cnonce="${CNONCE}", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS", qop=auth, nc=00000001, algorithm=${algorithm}`,
  );
});

it('answers a challenge without qop as RFC 2069 says', () => {
  const answer = answerTo('Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"', { user: 'Mufasa', password: 'CircleOfLife' });
  expect(answer?.('GET', '/dir/index.html')).toContain('response="1949323746fe6a43ef61f9606e7febea"');
  expect(answer?.('GET', '/dir/index.html')).not.toMatch(/cnonce|nc=|qop/);
});

it('counts its requests', () => {
  const answer = answerTo(challenge('MD5'), mufasa);
  expect(answer?.('GET', '/')).toContain('nc=00000001');
  expect(answer?.('GET', '/')).toContain('nc=00000002');
});

it('prefers a digest that it knows to basic, and knows when there is neither', () => {
  expect(answerTo(`Basic realm="a, Digest", ${challenge('MD5')}`, mufasa)?.('GET', '/')).toMatch(/^Digest .*algorithm=MD5/);
  expect(answerTo(`${challenge('FUTURE')}, Digest realm="x", nonce="y"`, mufasa)?.('GET', '/')).toMatch(/realm="x"/);
  expect(answerTo(`${challenge('FUTURE')}, Basic realm="x"`, mufasa)?.('GET', '/')).toBe(`Basic ${Buffer.from('Mufasa:Circle of Life').toString('base64')}`);
  expect(answerTo('Digest realm="x", nonce="y", qop="auth-int"', mufasa)).toBeNull();
  expect(answerTo(challenge('constructor'), mufasa)).toBeNull();
  expect(answerTo('Bearer', mufasa)).toBeNull();
  expect(answerTo('', mufasa)).toBeNull();
});
