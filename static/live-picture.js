/** The latest picture of a camera: asked for only while it is on screen, one request at a time, and few of all pictures together. Cameras on demand sleep on. */
import { addressOf, element, setText } from './dom.js';
import { whenLost } from './lost-picture.js';
import { watch } from './on-screen.js';

/** Browsers have six connections to a server: some are left for the questions. */
const MOST_AT_ONCE = 4;

/** By its node: shows what is new. */
const pictures = new WeakMap();
/** Those whose turn comes, the longest waiting first. */
const waiting = new Set();
let loading = 0;

function next() {
  for (const load of waiting) {
    if (loading >= MOST_AT_ONCE) return;
    waiting.delete(load);
    load();
  }
}

export function makePicture(name) {
  const image = element('img', { alt: `Latest picture of ${name}`, hidden: true, decoding: 'async' });
  const instead = element('p');
  const node = element('div', { className: 'picture' }, instead, image);
  let [onScreen, busy, gone, newest, asked, none] = [false, false, false, null, null, ''];
  const load = () => {
    [busy, asked] = [true, newest];
    loading += 1;
    image.src = addressOf(`api/cameras/${encodeURIComponent(name)}/latest.jpg?wake=false&at=${encodeURIComponent(asked)}`);
  };
  const want = () => {
    if (onScreen && !busy && newest !== null && newest !== asked) waiting.add(load);
    else waiting.delete(load);
    next();
  };
  const tell = () => {
    const fetching = image.hidden ? 'Fetching the latest picture …' : '';
    setText(instead, newest === null ? none : gone ? 'The latest picture is gone' : fetching);
  };
  const settle = (isGone) => {
    image.hidden = isGone;
    [busy, gone] = [false, isGone];
    tell();
    want();
  };
  const free = () => {
    loading -= 1;
    next();
  };
  image.addEventListener('load', () => {
    free();
    settle(false);
  });
  // Others need not wait until it is known why it did not come.
  image.addEventListener('error', () => {
    image.hidden = true;
    free();
  });
  const anew = () => {
    [busy, asked] = [false, null];
    want();
  };
  // One that a filter took from the page is asked for once it is on screen again.
  whenLost(image, () => { settle(true); }, anew, anew);
  pictures.set(node, (at, otherwise) => { [newest, none] = [at, otherwise]; tell(); want(); });
  watch(node, (visible) => { onScreen = visible; want(); });
  return node;
}

/** `at`: when the newest picture was taken, null while there is none; `otherwise`: what is said then. */
export function showPicture(node, at, otherwise) {
  pictures.get(node)(at, otherwise);
}
