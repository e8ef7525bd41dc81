/** What to do about a camera's certificate that is not accepted, in words. */
import { hasCode } from '../../lib/files.ts';

/** Begins with a semicolon, or is empty: the error is about something else. */
export function certificateHint({ hostname, port }: URL, error: Error): string {
  const place = `${hostname}:${port || '443'}`;
  if (hasCode(error, 'DEPTH_ZERO_SELF_SIGNED_CERT')) {
    return `; if that is right, trust the camera's certificate: openssl s_client -connect ${place} < /dev/null | openssl x509 >> cameras.pem${thenStart()}`;
  }
  if (hasCode(error, 'SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'UNABLE_TO_GET_ISSUER_CERT', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY')) {
    return `; if that is right, trust who has signed the camera's certificate: put the authority's own certificate, which openssl s_client -showcerts -connect ${place} shows last if the camera has it, into cameras.pem${thenStart()}`;
  }
  if (hasCode(error, 'ERR_TLS_CERT_ALTNAME_INVALID')) {
    const names = namesOf(error);
    const [name = 'camera'] = names;
    return `; its certificate is for ${names.join(', ') || 'no name'}: write the address with such a name, to which a line "${hostname} ${name}" in /etc/hosts leads`;
  }
  if (hasCode(error, 'CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID')) return '; set the clocks of the camera and of this machine, or give the camera a new certificate';
  return '';
}

function thenStart(): string {
  const file = process.env['NODE_EXTRA_CA_CERTS'] ?? '';
  return file === ''
    ? ', and start Lookout again with NODE_EXTRA_CA_CERTS=cameras.pem'
    : `, and start Lookout again with NODE_EXTRA_CA_CERTS=cameras.pem; ${file}, which it names now, does not hold it or could not be read`;
}

/** The names that a certificate has, as Node tells them with the error: those of its list, or else its subject's. */
function namesOf(error: Error): readonly string[] {
  const { cert } = error as { readonly cert?: { readonly subjectaltname?: string; readonly subject?: { readonly CN?: string } } };
  const listed = (cert?.subjectaltname ?? '').split(',').map((name) => name.replace(/^ *(DNS|IP Address):/, '').trim()).filter((name) => name !== '');
  return listed.length > 0 ? listed : [cert?.subject?.CN ?? ''].filter((name) => name !== '');
}
