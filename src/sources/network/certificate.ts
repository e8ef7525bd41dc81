/** Whether a camera's certificate is the one that is meant, and in words what to do where it is not. */
import type { PeerCertificate, TLSSocket } from 'node:tls';
import { shorten } from '../../lib/shorten.ts';

/** Of those that are told. */
const LONGEST_NAMES = 200;

/** How a camera over TLS is known: `verify`, `off`, or `sha256:` and a fingerprint. */
export type Tls = string;

/** What is wrong with the certificate that was shown, and what to do; null: nothing. */
export function faultOf(socket: TLSSocket, tls: Tls): string | null {
  if (tls === 'off') return null;
  const certificate = socket.getPeerCertificate();
  const shown = plain(certificate.fingerprint256);
  if (tls !== 'verify') {
    return plain(tls.replace(/^sha256:/, '')) === shown ? null : `its certificate is another than the one in tls: its fingerprint is sha256:${shown}; set it there if the camera has got a new certificate`;
  }
  // Node tells the code where it says that it has an error.
  return socket.authorized ? null : `its certificate is not trusted: ${adviceOn(String(socket.authorizationError), certificate)}if sha256:${shown} is the fingerprint that the camera itself shows, set "tls": "sha256:${shown}" in the stream's options`;
}

function adviceOn(code: string, certificate: PeerCertificate): string {
  switch (code) {
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return 'it signs itself; ';
    case 'SELF_SIGNED_CERT_IN_CHAIN': case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE': case 'UNABLE_TO_GET_ISSUER_CERT': case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return 'nobody knows who signed it; start Lookout with NODE_EXTRA_CA_CERTS=authority.pem if that file holds who did, or, ';
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `it is for ${shorten(namesOf(certificate).join(', '), LONGEST_NAMES) || 'no name'}; write the address with such a name, or, `;
    case 'CERT_HAS_EXPIRED': case 'CERT_NOT_YET_VALID':
      return 'it is out of date; set the clocks of the camera and of this machine, or, ';
    default:
      return `${code}; `;
  }
}

/** Those of its list, or else its subject's. */
function namesOf({ subjectaltname = '', subject }: PeerCertificate): readonly string[] {
  const listed = subjectaltname.split(',').map((name) => name.replace(/^ *(DNS|IP Address):/, '').trim()).filter((name) => name !== '');
  return listed.length > 0 ? listed : [subject.CN].flat().filter((name) => typeof name === 'string');
}

function plain(fingerprint: string | undefined): string {
  return (fingerprint ?? '').replaceAll(':', '').toLowerCase();
}
