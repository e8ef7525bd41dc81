/** The latest picture of a camera: asked for only while it is on screen, one request at a time. */
import { addressOf, element, setText } from './dom.js';

/** By its node: tells a picture whether it is on screen, and shows what is new. */
const pictures = new WeakMap();

const watcher = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) pictures.get(target).moved(isIntersecting);
});

export function makePicture(name) {
  const image = element('img', { alt: `Latest picture of ${name}`, hidden: true });
  const instead = element('p');
  const node = element('div', { className: 'picture' }, instead, image);
  let [onScreen, loading, gone, newest, asked, none] = [false, false, false, null, null, ''];
  const load = () => {
    if (!onScreen || loading || newest === asked) return;
    loading = true;
    asked = newest;
    image.src = addressOf(`api/cameras/${encodeURIComponent(name)}/latest.jpg?at=${encodeURIComponent(asked)}`);
  };
  const tell = () => { setText(instead, newest === null ? none : gone ? 'The latest picture is gone' : 'Fetching the latest picture …'); };
  const ended = (shown) => {
    image.hidden = !shown;
    [loading, gone] = [false, !shown];
    tell();
    load();
  };
  image.addEventListener('load', () => { ended(true); });
  image.addEventListener('error', () => { ended(false); });
  pictures.set(node, {
    moved(visible) { onScreen = visible; load(); },
    show(at, otherwise) { [newest, none] = [at, otherwise]; tell(); load(); },
  });
  watcher.observe(node);
  return node;
}

/** `at`: when the newest picture was taken, null while there is none; `otherwise`: what is said then. */
export function showPicture(node, at, otherwise) {
  pictures.get(node).show(at, otherwise);
}
