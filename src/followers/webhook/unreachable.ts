/** Why a request had no answer, in words. */
import { LookoutError } from '../../errors.ts';
import { codeOf, wordsOf } from '../../lib/words-of.ts';

const OF_CERTIFICATES: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it signs itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'nobody here knows who signed it',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'nobody here knows who signed it',
  UNABLE_TO_GET_ISSUER_CERT: 'nobody here knows who signed it',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'nobody here knows who signed it',
  ERR_TLS_CERT_ALTNAME_INVALID: 'it is for another name',
  CERT_HAS_EXPIRED: 'it is out of date',
  CERT_NOT_YET_VALID: 'it is not valid yet; see to the clocks of both machines',
  CERT_REVOKED: 'it was revoked',
};
const KNOWN = 'start Lookout with NODE_EXTRA_CA_CERTS=authority.pem if that file holds who signed it';

export function unreachable(origin: string, error: unknown, hide: (text: string) => string): LookoutError {
  const code = codeOf(error);
  const wrong = OF_CERTIFICATES[code];
  const advice = /signed|signs/.test(wrong ?? '') ? `; ${KNOWN}` : '';
  const why = wrong === undefined ? hide(wordsOf(error)) : `its certificate is not trusted: ${wrong}${advice} (${code})`;
  return new LookoutError('target_away', `${origin} could not be reached: ${why}`, { cause: error });
}
