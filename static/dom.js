/** Makes elements, asks the server, says times: data gets into the page as text only. */

const SVG = 'http://www.w3.org/2000/svg';

/** Where `path` of this server is, e.g. `api/streams`: told from where this file came from, also under a path of a reverse proxy. */
export const addressOf = (path) => new URL(`../${path}`, import.meta.url).href;

/** `properties` are the element's own (className, textContent, href …). */
export function element(name, properties = {}, ...children) {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children);
  return node;
}

export function svgElement(name, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, String(value));
  node.append(...children);
  return node;
}

/** Nothing came back, or nothing of Lookout's. */
export class NoAnswer extends Error {}

/** Questions that wait for their answer, the oldest first, and when the last answer came. */
export const contact = { pending: new Set(), answeredAt: null };

/** The JSON of an answer of `path`, e.g. `api/streams`; throws what the server says is wrong. `or`: a status that is as good as 200. */
export async function ask(path, { method = 'GET', body, or } = {}) {
  const question = { at: Date.now() };
  let response, answer;
  contact.pending.add(question);
  try {
    response = await fetch(addressOf(path), {
      method,
      cache: 'no-store',
      signal: AbortSignal.timeout(15_000),
      ...(body === undefined ? {} : { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }),
    });
    answer = await response.json();
    contact.answeredAt = new Date();
  } catch (cause) {
    if (response?.ok !== false) {
      // What reads a disk that hangs waits while all else is answered.
      throw contact.answeredAt > question.at ? new Error('No answer came.', { cause }) : new NoAnswer('Lookout does not answer.', { cause });
    }
  } finally {
    contact.pending.delete(question);
  }
  if (!response.ok && response.status !== or) throw new Error(answer?.error ?? `The server answered ${response.status}.`);
  return answer;
}

/** Text only where it differs: what is unchanged is not read out again. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** One press at a time. Not `disabled`: a disabled button loses the focus of whoever works with the keyboard. */
export async function whileBusy(button, work) {
  if (button.ariaDisabled === 'true') return;
  button.ariaDisabled = 'true';
  try {
    await work();
  } finally {
    button.ariaDisabled = null;
  }
}

/** Keeps one child for each item, in their order; `make` and `update` deal with one. */
export function keyed(parent, items, keyOf, make, update = () => undefined) {
  const keys = new Set(items.map((item) => String(keyOf(item))));
  // Before the others are put in order: one that is moved loses the focus.
  for (const child of [...parent.children]) if (!keys.has(child.dataset.key)) child.remove();
  const before = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let place = null;
  for (const item of items) {
    const key = String(keyOf(item));
    const child = before.get(key) ?? make(item);
    child.dataset.key = key;
    update(child, item);
    const next = place === null ? parent.firstElementChild : place.nextElementSibling;
    if (next !== child) parent.insertBefore(child, next);
    place = child;
  }
}

/** The camera that a field with a list names: without blanks around what was typed, unless a camera, or the page's address, has them. */
export function cameraIn({ value, list }) {
  const isKnown = value === new URLSearchParams(location.search).get('camera_id') || [...list.options].some((option) => option.value === value);
  return isKnown ? value : value.trim();
}

export function ago(seconds) {
  if (seconds < 90) return `${Math.max(0, Math.round(seconds))} s ago`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 129_600) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86_400)} days ago`;
}

export const count = (number, one, many = `${one}s`) => `${number.toLocaleString('en')} ${number === 1 ? one : many}`;

export const words = (name) => name.replaceAll('_', ' ');
