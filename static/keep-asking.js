/** Asks the server again and again, and says in a banner what cannot be shown, and since when. */
import { ask, contact, NoAnswer, setText } from './dom.js';
import { sentence } from './sentence.js';

const trouble = document.querySelector('#trouble');
/** What cannot be shown, and why: that one thing is answered says nothing about the others. */
const failing = new Map();
/** An answer that takes longer may be on its way; until it is there nothing is shown as if it were new. */
const LONGEST_MS = 6000;

const LIST = new Intl.ListFormat('en');

let waitingFor = [];
let lostAt = null;

/** What keeps records from being written. */
export function setWaitingFor(reasons) {
  waitingFor = reasons;
}

/** The same, where nothing else that is asked for says it. */
export async function refreshReadiness() {
  const { not_ready = [] } = await ask('readyz', { or: 503 });
  setWaitingFor(not_ready);
}

/** Asks now and then again and again; not while nobody looks. */
export async function keepAsking(what, refresh, seconds) {
  for (;;) {
    if (!document.hidden) {
      try {
        await refresh();
        failing.delete(what);
      } catch (error) {
        console.warn(error.message);
        failing.set(what, error);
      }
      tell();
    }
    const pause = failing.has(what) ? Math.min(seconds, 3) : seconds;
    await new Promise((resolve) => setTimeout(resolve, pause * 1000));
  }
}

/** Whether the server answers, as far as that is known. Somebody who comes back to the page hears it from the next answer. */
export function isLive() {
  const gone = [...failing.values()].some((error) => error instanceof NoAnswer);
  const [oldest] = contact.pending;
  return !gone && (oldest === undefined || Date.now() - Math.max(oldest.at, contact.answeredAt ?? 0) <= LONGEST_MS);
}

/** Says it where it has changed. */
export function tell() {
  // One reason may stand behind all of it.
  const behind = Map.groupBy(failing, ([, { message }]) => message);
  const faults = [...behind].map(([reason, all]) => `The ${LIST.format(all.map(([what]) => what))} cannot be shown: ${sentence(reason)}`);
  const waits = waitingFor.filter((reason) => !behind.has(reason)).map((reason) => `Not ready: ${reason}.`);
  const live = isLive();
  lostAt = live ? null : lostAt ?? contact.answeredAt;
  const shown = lostAt === null ? '' : ` What you see is as of ${lostAt.toLocaleTimeString()}.`;
  setText(trouble, live ? [...faults, ...waits].join(' ') : `Lookout does not answer.${shown} It is asked again every few seconds.`);
  trouble.hidden = trouble.textContent === '';
}
