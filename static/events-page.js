/** The page of events: the newest first, each as it comes and changes, of all cameras and classes or of some. */
import { ask, count, element, keyed, setText } from './dom.js';
import { makeEventCard } from './event-card.js';
import { listen } from './event-stream.js';
import { refreshFollowers } from './follower-list.js';
import { keepAsking, tell } from './keep-asking.js';

const PAGE = 30;
/** As many as the server gives at once, and as the browser shows with ease. */
const MOST = 500;
/** Where entries come by themselves the list is asked for all the same now and then: a proxy may hold them back. */
const LIST_EVERY_MS = 30_000;
/** Of a storm of entries each is not worth a picture of the page. */
const TOGETHER_MS = 200;
/** Nothing slips away under somebody's hand: so long after it moved among the cards. */
const STILL_MS = 3000;

const list = document.querySelector('#event-list');
const fresh = document.querySelector('#show-new');
const older = document.querySelector('#show-older');
const form = document.querySelector('#event-filter');
const { camera_id: camera, class: name, alert } = form.elements;

/** Newest entries by id, of the events asked for. */
let known = new Map();
/** What is shown, the newest first. */
let shown = [];
/** There are none before. */
let isWhole = false;
let silences = [];
let [askedAt, movedAt] = [-Infinity, -Infinity];
let due = false;
const cards = new WeakMap();
const classes = new Set();

const newestFirst = (a, b) => (a.id < b.id ? 1 : -1);

/** What the filter asks for, as the server takes it. */
function wanted() {
  const all = { camera_id: camera.value.trim(), class: name.value.trim(), alert: alert.checked ? 'true' : '' };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''));
}

const isWanted = (entry) => Object.entries(wanted()).every(([key, value]) => String(entry[key]) === value);

/** An answer to what is asked for otherwise meanwhile is null. */
async function askFor(more) {
  const filter = new URLSearchParams(wanted()).toString();
  const { events } = await ask(`api/events?${new URLSearchParams({ ...wanted(), ...more })}`);
  return filter === new URLSearchParams(wanted()).toString() ? events : null;
}

function take(entry) {
  const before = known.get(entry.id);
  if (before === undefined || before.sequence < entry.sequence) known.set(entry.id, entry);
}

async function refresh() {
  const limit = Math.min(Math.max(known.size, PAGE), MOST);
  const before = [...known.keys()];
  const events = await askFor({ limit });
  if (events === null) return;
  const answered = new Set(events.map(({ id }) => id));
  // What came while the answer was on its way stays.
  for (const id of before) if (!answered.has(id)) known.delete(id);
  events.forEach(take);
  isWhole = events.length < limit;
  askedAt = Date.now();
  arrange();
}

async function keepFresh() {
  if (!stream.isOpen() || Date.now() - askedAt > LIST_EVERY_MS) await refresh();
}

function told(entry) {
  // What stands further down than the list goes.
  if (!isWanted(entry) || (!isWhole && !known.has(entry.id) && entry.id < (shown.at(-1)?.id ?? ''))) return;
  take(entry);
  if (due) return;
  due = true;
  setTimeout(() => { due = false; arrange(); }, TOGETHER_MS);
}

/** Whoever has gone down, or works with a card, finds the new ones above when he asks for them. */
const isReading = () => scrollY > 100 || Date.now() - movedAt < STILL_MS || list.matches(':has(:focus-visible)');

function arrange(all = shown.length === 0 || !isReading()) {
  const sorted = [...known.values()].sort(newestFirst);
  for (const { id } of sorted.splice(MOST)) {
    known.delete(id);
    isWhole = false;
  }
  const newer = all ? 0 : sorted.filter(({ id }) => id > shown[0].id).length;
  const held = newer === sorted.length ? 0 : newer;
  shown = sorted.slice(held);
  keyed(list, shown, ({ id }) => id, make, (node, entry) => { cards.get(node).update(entry, silenceOf(entry)); });
  fresh.hidden = held === 0;
  setText(fresh, `Show ${count(held, 'new event')}`);
  older.hidden = isWhole || known.size >= MOST;
  const isFiltered = Object.keys(wanted()).length > 0;
  document.querySelector('#no-events').hidden = shown.length > 0 || isFiltered;
  document.querySelector('#none-shown').hidden = shown.length > 0 || !isFiltered;
  const end = document.querySelector('#all-shown');
  end.hidden = isWhole || known.size < MOST;
  setText(end, `The newest ${MOST} are shown. Choose a camera or a class to see older ones.`);
}

function make(entry) {
  classes.add(entry.class);
  const card = makeEventCard(entry, refreshSilences);
  cards.set(card.node, card);
  return card.node;
}

/** Of those that cover its rule the one that lasts longest. */
function silenceOf({ camera_id, rule }) {
  return silences.filter((one) => one.camera_id === camera_id && (one.rule === null || one.rule === rule)).sort((a, b) => (a.until < b.until ? 1 : -1))[0] ?? null;
}

async function refreshSilences() {
  const answer = (await ask('api/silences')).silences;
  if (JSON.stringify(answer) === JSON.stringify(silences)) return;
  silences = answer;
  arrange();
}

function offer(selector, values) {
  keyed(document.querySelector(selector), values, (value) => value, (value) => element('option', { value }));
}

async function refreshCameras() {
  const { streams } = await ask('api/streams');
  offer('#camera-ids', streams.map(({ camera_id }) => String(camera_id)));
}

async function askAgain() {
  const address = new URL(location.href);
  address.search = new URLSearchParams(wanted());
  history.replaceState(null, '', address);
  [known, shown] = [new Map(), []];
  await refresh();
}

const report = (error) => { console.warn(error.message); };

fresh.addEventListener('click', () => {
  arrange(true);
  scrollTo({ top: 0 });
  document.querySelector('#events-title').focus({ preventScroll: true });
});
older.addEventListener('click', async () => {
  try {
    const events = await askFor({ limit: PAGE, before: shown.at(-1).id });
    if (events === null) return;
    events.forEach(take);
    isWhole = events.length < PAGE;
    arrange();
  } catch (error) {
    report(error);
  }
});
form.addEventListener('submit', (event) => { event.preventDefault(); });
name.addEventListener('focus', () => { offer('#classes', [...classes]); });
form.addEventListener('input', () => { askAgain().catch(report); });
document.querySelector('#clear-filter').addEventListener('click', () => {
  [camera.value, name.value, alert.checked] = ['', '', false];
  camera.focus();
  askAgain().catch(report);
});
for (const kind of ['pointermove', 'pointerdown']) list.addEventListener(kind, () => { movedAt = Date.now(); }, { passive: true });

const asked = new URLSearchParams(location.search);
for (const field of [camera, name]) field.value = (asked.get(field.name) ?? '').slice(0, field.maxLength);
alert.checked = asked.get('alert') === 'true';
document.querySelector('#followers').open = !matchMedia('(max-width: 899px)').matches;

const stream = listen({ told, opened: () => { refresh().catch(report); } });
setInterval(() => {
  if (document.hidden) return;
  tell();
  if (!fresh.hidden && !isReading()) arrange();
}, 1000);
void keepAsking('events', keepFresh, 3);
void keepAsking('silences', refreshSilences, 10);
void keepAsking('followers', refreshFollowers, 5);
void keepAsking('cameras', refreshCameras, 30);
