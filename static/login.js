/** The user name and the password of an address apart from it, and together again. No DOM in here. */

/** What is typed or pasted as one address, in parts: its user name and password are nobody's to see. null: there are none. */
export function splitLogin(url) {
  const [, scheme, login, rest] = /^\s*([a-z][a-z0-9+.-]*:\/\/)([^/?#\s]*)@(.*?)\s*$/i.exec(url) ?? [];
  if (login === undefined) return null;
  const [name, ...password] = login.split(':');
  const decoded = isPlain(scheme) ? (text) => text : decodeURIComponent;
  try {
    return { url: `${scheme}${rest}`, username: decoded(name), password: decoded(password.join(':')) };
  } catch {
    // Not percent-encoded as it should be: the camera is sent what was typed.
    return null;
  }
}

/** Nobody decodes the login of an RTMP address. */
const isPlain = (url) => /^rtmps?:/i.test(url);

const encoded = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);

export function joinLogin({ url, username, password }) {
  if (username + password === '') return url;
  const asSent = isPlain(url) ? (text) => text : encoded;
  const login = password === '' ? asSent(username) : `${asSent(username)}:${asSent(password)}`;
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)/i, (scheme) => `${scheme}${login}@`);
}
