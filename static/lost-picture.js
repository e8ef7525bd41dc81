/** Pictures that did not come: those that are gone, as the server says, and those that nothing answered for, which are asked for again. */
import { contact } from './dom.js';

const LOOK_MS = 1000;

/** Whether there is a picture: as soon as the server says so. null: `isWanted` says no meanwhile. */
async function isThere(address, isWanted) {
  while (isWanted()) {
    const heard = contact.answeredAt;
    const status = await fetch(address, { method: 'HEAD', cache: 'no-store' }).then((answer) => answer.status, () => 0);
    if (status === 404) return false;
    if (status === 200) return true;
    // The page asks for other things all the time, and hears when something answers again.
    while (isWanted() && contact.answeredAt === heard) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return null;
}

/**
 * Calls `gone` where the picture that `image` is to show is not there, or is none that can be shown; `again`, once for each,
 * where only the way to it was lost; and `left` where that is not known, as `image` has left the page or shows another by now.
 */
export function whenLost(image, gone, again = () => { image.src = image.src; }, left = () => undefined) {
  let asked = '';
  image.addEventListener('error', async () => {
    const { src } = image;
    const there = await isThere(src, () => image.isConnected && image.src === src);
    if (there === null) {
      left();
      return;
    }
    if (!there || asked === src) {
      gone();
      return;
    }
    asked = src;
    again();
  });
}
