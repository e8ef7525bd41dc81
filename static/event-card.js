/** One event's card: its picture with the box, what was seen, where and for how long, why it did not alert, and silence for its rule. */
import { overlay } from './boxes.js';
import { addressOf, ask, count, element, keyed, setText, whileBusy } from './dom.js';
import { lasting, silencedInWords, whyNoAlert } from './event-words.js';
import { whenLost } from './lost-picture.js';
import { showChip } from './model-words.js';

const SILENCE_SECONDS = 3600;
/** An event of an hour has more records than anybody opens. */
const MOST_RECORDS = 3;

const part = (tag, className, properties = {}) => element(tag, { className, ...properties });

/** `{node, update}`; `update` takes its newest entry and the silence that covers its rule, null: none does. `refreshSilences` is called after one was asked for. */
export function makeEventCard({ id, camera_id, rule, class: name }, refreshSilences) {
  const resource = `api/events/${encodeURIComponent(id)}`;
  const what = `${name} at ${camera_id}`;
  const picture = makePicture(resource, what);
  const [state, alert] = [part('span', 'chip'), part('span', 'chip')];
  const time = element('time');
  const length = element('span');
  const why = part('p', 'reason');
  const facts = part('div', 'facts');
  const silenced = part('p', 'hint');
  const refused = part('p', 'fault', { hidden: true });
  refused.setAttribute('role', 'alert');
  const button = part('button', 'plain small', { type: 'button' });
  let [shown, silence] = [null, null];

  button.addEventListener('click', () => whileBusy(button, async () => {
    refused.hidden = true;
    try {
      await ask('api/silences', { method: 'POST', body: silence === null ? { camera_id, rule, seconds: SILENCE_SECONDS } : { camera_id, rule: silence.rule, seconds: 0 } });
      await refreshSilences();
    } catch (error) {
      setText(refused, error.message);
      refused.hidden = false;
    }
  }));

  return {
    node: element('article', { className: 'item event' },
      picture.node,
      element('div', { className: 'body' },
        element('div', { className: 'line' }, element('h3', { textContent: name, title: name }), element('span', { className: 'chips' }, state, alert)),
        element('a', { className: 'camera', href: addressOf(`records?camera_id=${encodeURIComponent(camera_id)}`), textContent: camera_id, title: `Records of ${camera_id}` }),
        element('p', { className: 'when' }, time, ', ', length),
        why, facts, refused,
        element('div', { className: 'line' }, element('div', { className: 'buttons' }, button), silenced))),
    update(entry, quiet) {
      if (entry === shown && quiet === silence) return;
      [shown, silence] = [entry, quiet];
      picture.show(entry);
      showChip(state, 'starting', 'Goes on');
      state.hidden = entry.state === 'ended';
      showChip(alert, 'failed', 'Alert');
      alert.hidden = !entry.alert;
      time.dateTime = entry.began_at;
      setText(time, new Date(entry.began_at).toLocaleString());
      setText(length, lasting(entry));
      setText(why, whyNoAlert(entry));
      why.hidden = entry.alert;
      keyed(facts, factsOf(entry, resource, what), ([key]) => key, ([, , href, label]) => (href ? element('a', { href, ariaLabel: label, ...(href.includes('/api/') && { target: '_blank' }) }) : element('span')), (fact, [, text]) => { setText(fact, text); });
      setText(silenced, quiet === null ? '' : silencedInWords(quiet));
      setText(button, quiet === null ? 'Silence for 1 hour' : 'End silence');
      button.ariaLabel = quiet === null ? `Silence for 1 hour: ${rule} at ${camera_id}` : `End silence of ${quiet.rule ?? 'all'} at ${camera_id}`;
    },
  };
}

/** `[key, text, href, label]`; without an address they are words only. */
function factsOf({ best, frames, rule, place, clip, batches }, resource, what) {
  const records = batches ?? [];
  return [
    ['confidence', `${Math.round(best.confidence * 100)} % sure`],
    ['frames', count(frames, 'frame')],
    ['rule', `rule ${rule}`],
    place === null ? null : ['place', `${place.latitude}, ${place.longitude}`],
    clip === null ? null : ['clip', 'Clip', addressOf(`${resource}/clip.mp4`), `Clip of ${what}`],
    ...records.slice(0, MOST_RECORDS).map((id, index) => {
      const text = records.length === 1 ? 'Record' : `Record ${index + 1}`;
      return [id, text, addressOf(`records?id=${encodeURIComponent(id)}`), `${text} of ${what}`];
    }),
    records.length <= MOST_RECORDS ? null : ['more', `${records.length - MOST_RECORDS} more`],
    ['json', 'JSON', addressOf(resource), `JSON of ${what}`],
  ].filter(Boolean);
}

/** The picture that shows it best so far: a better one replaces it. */
function makePicture(resource, what) {
  const image = element('img', { alt: `Picture of ${what}`, loading: 'lazy', decoding: 'async', hidden: true });
  const instead = element('p');
  const node = element('a', { className: 'picture', target: '_blank' }, instead, image);
  let best = null;
  const none = (text) => {
    image.hidden = true;
    node.querySelector('svg')?.remove();
    node.removeAttribute('href');
    setText(instead, text);
  };
  image.addEventListener('load', () => {
    setText(instead, '');
    node.querySelector('svg')?.remove();
    if (best.box !== null) node.append(overlay(best, [best]));
  });
  whenLost(image, () => { none('Its picture is gone'); });
  return {
    node,
    show({ best: now, class: name }) {
      if (now.captured_at === best?.captured_at && now.picture === best.picture) return;
      best = { ...now, class: name };
      if (now.picture === null) { none('No picture was kept'); return; }
      node.href = addressOf(`${resource}/picture.jpg`);
      image.hidden = false;
      // Of the same address the browser would show the one before.
      image.src = `${node.href}?at=${encodeURIComponent(now.captured_at)}`;
    },
  };
}
