/** The text as a sentence, with a capital letter before it, unless an address stands there, and a full stop behind it; '' stays ''. */
export function sentence(text) {
  if (text === '') return '';
  const beginning = /^[a-z][a-z0-9+.-]*:\/\//.test(text) ? text : `${text[0].toUpperCase()}${text.slice(1)}`;
  return /[.!?…]$/.test(beginning) ? beginning : `${beginning}.`;
}
