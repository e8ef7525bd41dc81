/** How those do who follow the logs: where each delivers to, how far behind it is, and why. */
import { ask, count, element, keyed, setText } from './dom.js';
import { duration } from './event-words.js';
import { showChip } from './model-words.js';
import { sentence } from './sentence.js';

const STATES = { idle: ['ready', 'Up to date'], delivering: ['starting', 'Delivering'], waiting: ['late', 'Waiting'] };

const section = document.querySelector('#followers');
const list = section.querySelector('#follower-list');
const chip = section.querySelector('#followers-waiting');

/** Asks for them, and shows them where there are any. */
export async function refreshFollowers() {
  const { followers } = await ask('api/followers');
  const waiting = followers.filter(({ state }) => state === 'waiting').length;
  section.hidden = followers.length === 0;
  document.querySelector('main').classList.toggle('beside', followers.length > 0);
  document.querySelector('#no-followers').hidden = followers.length > 0;
  chip.hidden = waiting === 0;
  setText(chip, `${waiting} waiting`);
  keyed(list, followers, ({ name }) => name, make, update);
}

function make({ name, type, target }) {
  return element('li', { className: 'item follower' },
    element('div', { className: 'line' }, element('h3', { textContent: name }), element('span', { className: 'chip' })),
    element('p', { className: 'quiet', textContent: `${type}, ${target}` }),
    element('p', { className: 'fault', hidden: true }),
    element('div', { className: 'facts' }));
}

function update(item, follower) {
  showChip(item.querySelector('.chip'), ...STATES[follower.state]);
  const fault = item.querySelector('.fault');
  fault.hidden = follower.state !== 'waiting';
  setText(fault, fault.hidden ? '' : `${sentence(follower.reason)} Since ${new Date(follower.since).toLocaleString()}; it is tried again.`);
  keyed(item.querySelector('.facts'), factsOf(follower), ([key]) => key, () => element('span'), (fact, [, text]) => { setText(fact, text); });
}

function factsOf({ lag_items, lag_seconds, delivered, set_aside, lost }) {
  return [
    ['behind', lag_items === 0 ? 'nothing waits' : `${count(lag_items, 'item')} behind${lag_seconds < 1 ? '' : `, ${duration(lag_seconds)}`}`],
    ['delivered', `${delivered.toLocaleString('en')} delivered`],
    set_aside === 0 ? null : ['aside', `${set_aside.toLocaleString('en')} refused and set aside`],
    lost === 0 ? null : ['lost', `${lost.toLocaleString('en')} lost`],
  ].filter(Boolean);
}
