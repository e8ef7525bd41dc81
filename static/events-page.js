/** The page of events: each as it comes and changes, silences, and how followers do. */
import { ask, element, keyed } from './dom.js';
import { makeEventCard } from './event-card.js';
import { createEventFilter } from './event-filter.js';
import { createEventList } from './event-list.js';
import { listen } from './event-stream.js';
import { refreshFollowers } from './follower-list.js';
import { keepAsking, refreshReadiness, tell } from './keep-asking.js';

/** Where entries come by themselves the list is asked for all the same now and then: a proxy may hold them back. */
const LIST_EVERY_SECONDS = 30;

/** By their nodes. */
const cards = new WeakMap();
const classes = new Set();
let silences = [];

const filter = createEventFilter(() => { events.begin(); });
const events = createEventList(filter, make, (node, entry) => { cards.get(node).update(entry, silenceOf(entry)); });
const stream = listen({ told: events.told, opened: () => { events.refresh().catch((error) => { console.warn(error.message); }); } });

function make(entry) {
  const card = makeEventCard(entry, refreshSilences);
  cards.set(card.node, card);
  if (!classes.has(entry.class)) offer('#classes', classes.add(entry.class));
  return card.node;
}

/** Of those that cover its rule the one that lasts longest. */
function silenceOf({ camera_id, rule }) {
  return silences.filter((one) => one.camera_id === camera_id && (one.rule === null || one.rule === rule)).sort((a, b) => (a.until < b.until ? 1 : -1))[0] ?? null;
}

function offer(selector, values) {
  keyed(document.querySelector(selector), [...values], (value) => value, (value) => element('option', { value }));
}

async function refreshEvents() {
  if (!stream.isOpen() || events.age() > LIST_EVERY_SECONDS) await events.refresh();
}

async function refreshSilences() {
  const answer = (await ask('api/silences')).silences;
  if (JSON.stringify(answer) === JSON.stringify(silences)) return;
  silences = answer;
  events.arrange();
}

async function refreshCameras() {
  const { streams } = await ask('api/streams');
  offer('#camera-ids', streams.map(({ camera_id }) => String(camera_id)));
}

document.querySelector('#followers').open = !matchMedia('(max-width: 1099px)').matches;
setInterval(() => {
  if (document.hidden) return;
  tell();
  events.tick();
}, 1000);
void keepAsking('events', refreshEvents, 3);
void keepAsking('silences', refreshSilences, 10);
void keepAsking('followers', refreshFollowers, 5);
void keepAsking('cameras', refreshCameras, 30);
void keepAsking('readiness', refreshReadiness, 5);
