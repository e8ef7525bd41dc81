/** The events that are asked for, the newest first: those that the server lists, and each as it comes. */
import { ask, count, keyed, setText, whileBusy } from './dom.js';

const PAGE = 30;
/** As many as the server gives at once, and as the browser shows with ease. */
const MOST = 500;
/** Of a storm of entries each is not worth a picture of the page. */
const TOGETHER_MS = 200;
/** Nothing slips away under somebody's hand: so long after it moved among the cards. */
const STILL_MS = 3000;

const list = document.querySelector('#event-list');
const fresh = document.querySelector('#show-new');
const older = document.querySelector('#show-older');
const report = (error) => { console.warn(error.message); };

/** `filter` as event-filter.js makes it; `make(entry)` makes a card's node, and `update(node, entry)` shows it what is new. */
export function createEventList(filter, make, update) {
  /** Newest entries by id. */
  const known = new Map();
  /** What is shown, the newest first. */
  let shown = [];
  /** There are none before. */
  let isWhole = false;
  /** null: what is asked for has not been answered yet. */
  let answeredAt = null;
  let movedAt = -Infinity;
  let due = false;

  /** null: something else is asked for meanwhile. */
  async function askFor(more) {
    const asked = JSON.stringify(filter.wanted());
    const { events } = await ask(`api/events?${new URLSearchParams({ ...filter.wanted(), ...more })}`);
    return asked === JSON.stringify(filter.wanted()) ? events : null;
  }

  function take(entry, ahead = 1) {
    const before = known.get(entry.id);
    if (before === undefined || entry.sequence >= before.sequence + ahead) known.set(entry.id, entry);
  }

  /** The list knows more than the last entry of an event that has got its clip since. */
  const takeListed = (entry) => { take(entry, 0); };

  async function refresh() {
    const limit = Math.min(Math.max(known.size, PAGE), MOST);
    const before = new Set(known.keys());
    const events = await askFor({ limit });
    if (events === null) return;
    isWhole = events.length < limit;
    const answered = new Set(events.map(({ id }) => id));
    const last = isWhole ? '' : events.at(-1).id;
    // What came while the answer was on its way stays.
    for (const id of known.keys()) if (!answered.has(id) && (before.has(id) || id < last)) known.delete(id);
    events.forEach(takeListed);
    answeredAt = Date.now();
    arrange();
  }

  async function showOlder() {
    const events = await askFor({ limit: PAGE, before: shown.at(-1).id });
    if (events === null) return;
    events.forEach(takeListed);
    isWhole = events.length < PAGE;
    arrange();
  }

  /** Whoever has gone down, or works with a card, is shown new ones on request. */
  const isReading = () => scrollY > 100 || Date.now() - movedAt < STILL_MS || list.matches(':has(:focus-visible)');

  function arrange(all = shown.length === 0 || !isReading()) {
    if (answeredAt === null) return;
    const sorted = [...known.values()].sort((a, b) => (a.id < b.id ? 1 : -1));
    for (const { id } of sorted.splice(MOST)) {
      known.delete(id);
      isWhole = false;
    }
    const newer = all ? 0 : sorted.filter(({ id }) => id > shown[0].id).length;
    const held = newer === sorted.length ? 0 : newer;
    shown = sorted.slice(held);
    keyed(list, shown, ({ id }) => id, make, update);
    fresh.hidden = held === 0;
    setText(fresh, `Show ${count(held, 'new event')}`);
    older.hidden = isWhole || known.size >= MOST;
    document.querySelector('#no-events').hidden = shown.length > 0 || filter.isSet();
    document.querySelector('#none-shown').hidden = shown.length > 0 || !filter.isSet();
    const end = document.querySelector('#all-shown');
    end.hidden = isWhole || known.size < MOST;
    setText(end, `The newest ${MOST} are shown. Choose a camera or a class to see older ones.`);
  }

  fresh.addEventListener('click', () => {
    arrange(true);
    scrollTo({ top: 0 });
    document.querySelector('#events-title').focus({ preventScroll: true });
  });
  older.addEventListener('click', () => whileBusy(older, () => showOlder().catch(report)));
  for (const kind of ['pointermove', 'pointerdown']) list.addEventListener(kind, () => { movedAt = Date.now(); }, { passive: true });

  return {
    arrange,
    refresh,
    /** Seconds since the server listed them. */
    age: () => (answeredAt === null ? Infinity : (Date.now() - answeredAt) / 1000),
    /** An entry has come. What stands further down than the list goes is left there. */
    told(entry) {
      if (!filter.holds(entry) || (!isWhole && !known.has(entry.id) && entry.id < (shown.at(-1)?.id ?? ''))) return;
      take(entry);
      if (due) return;
      due = true;
      setTimeout(() => { due = false; arrange(); }, TOGETHER_MS);
    },
    /** Something else is asked for. */
    begin() {
      known.clear();
      [shown, isWhole, answeredAt] = [[], false, null];
      refresh().catch(report);
    },
    /** A second has passed. */
    tick() {
      if (!fresh.hidden && !isReading()) arrange();
    },
  };
}
