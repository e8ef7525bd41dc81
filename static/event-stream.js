/** Entries of the log of events as they come. */
import { addressOf } from './dom.js';

const STATES = ['begun', 'going_on', 'ended'];
/** After an answer that is none, such as that too many listen; what was merely cut off the browser tries again by itself. */
const AGAIN_MS = 5000;

/**
 * `told` gets each entry; `opened` is called at the beginning and whenever the connection is there again: what came meanwhile is
 * in the list. Not while nobody looks: a browser has six connections to a server, for all its pages together.
 */
export function listen({ told, opened }) {
  let source = null;

  function open() {
    close();
    if (document.hidden) return;
    const own = new EventSource(addressOf('api/events/stream'));
    source = own;
    for (const state of STATES) own.addEventListener(state, ({ data }) => { told(JSON.parse(data)); });
    own.addEventListener('open', opened);
    own.addEventListener('error', () => {
      if (own.readyState === EventSource.CLOSED) setTimeout(() => { if (source === own) open(); }, AGAIN_MS);
    });
  }

  function close() {
    source?.close();
    source = null;
  }

  document.addEventListener('visibilitychange', open);
  open();
  return { isOpen: () => source?.readyState === EventSource.OPEN };
}
