/** The user name and the password of an address apart from it, and together again. No DOM in here. */

/** What is typed or pasted as one address, in parts: its user name and password are nobody's to see. null: there are none. */
export function splitLogin(url) {
  const [, scheme, login, rest] = /^\s*([a-z][a-z0-9+.-]*:\/\/)([^/?#\s]*)@(.*?)\s*$/i.exec(url) ?? [];
  if (login === undefined) return null;
  const [name, ...password] = login.split(':');
  try {
    return { url: `${scheme}${rest}`, username: decodeURIComponent(name), password: decodeURIComponent(password.join(':')) };
  } catch {
    // Not percent-encoded as it should be: the camera is sent what was typed.
    return null;
  }
}

const encoded = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);

export function joinLogin({ url, username, password }) {
  if (username + password === '') return url;
  const login = password === '' ? encoded(username) : `${encoded(username)}:${encoded(password)}`;
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)/i, (scheme) => `${scheme}${login}@`);
}
