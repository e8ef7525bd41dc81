/** The page of the newest records, of all cameras or of one, or of one record: what is new comes by itself only to who is at the top. */
import { ask, cameraIn, count, element, keyed, setText } from './dom.js';
import { keepAsking, refreshReadiness, tell } from './keep-asking.js';
import { readRecord } from './record.js';
import { createRecordList } from './record-list.js';

const PAGE = 24;
/** As many as the server gives with their pictures. */
const MOST = 480;

const list = document.querySelector('#record-list');
const fresh = document.querySelector('#show-new');
const older = document.querySelector('#show-older');
const { camera_id: field } = document.querySelector('#record-filter').elements;
const records = createRecordList(list);

const keyOf = (record) => readRecord(record).key;

let limit = PAGE;
let [told, shown] = [[], []];
const asked = new URLSearchParams(location.search);
/** Of the one that is asked for; null: the newest are. */
let id = asked.get('id');
field.value = (asked.get('camera_id') ?? '').slice(0, field.maxLength);

async function refresh() {
  const camera_id = cameraIn(field);
  const wanted = limit;
  const answer = await newest(wanted, { ...(camera_id === '' ? {} : { camera_id }), ...(id === null ? {} : { id }) });
  // Asked otherwise meanwhile: the next answer is there soon.
  if (camera_id !== cameraIn(field) || wanted !== limit) return;
  told = answer;
  if (isReading()) offer();
  else show();
}

/** What is further down has not changed: only the newest are asked for, unless so many came that there is a gap. */
async function newest(wanted, query) {
  const known = told;
  if (known.length > PAGE) {
    const answer = await records.newest({ limit: PAGE, ...query });
    const keys = new Set(known.map(keyOf));
    const added = answer.filter((record) => !keys.has(keyOf(record)));
    if (added.length < answer.length) return [...added, ...known].slice(0, wanted);
  }
  return records.newest({ limit: wanted, ...query });
}

/** Whoever has gone down, or works with a card, keeps what is there. */
const isReading = () => shown.length > 0 && (scrollY > 100 || list.matches(':focus-within'));

function offer() {
  const number = told.filter((record) => !records.has(record)).length;
  fresh.hidden = number === 0;
  setText(fresh, `Show ${number === told.length ? `${number} or more new records` : count(number, 'new record')}`);
}

function show() {
  shown = told;
  records.show(shown);
  fresh.hidden = true;
  older.hidden = id !== null || shown.length < limit || limit >= MOST;
  const camera = cameraIn(field);
  const none = document.querySelector('#no-records');
  none.hidden = shown.length > 0;
  setText(none, id !== null ? 'This record is not there any more, or its batch is not recorded yet.' : camera === '' ? 'No record yet. One is written for every batch: ten frames, about 30 seconds after a stream has started.' : `No record of ${camera}.`);
}

async function askAgain() {
  [told, shown] = [[], []];
  await refresh();
}

fresh.addEventListener('click', () => {
  show();
  scrollTo({ top: 0 });
  fresh.closest('section').querySelector('h2').focus({ preventScroll: true });
});
older.addEventListener('click', () => {
  limit = Math.min(limit + 2 * PAGE, MOST);
  askAgain().catch((error) => { console.warn(error.message); });
});
field.form.addEventListener('submit', (event) => { event.preventDefault(); });
field.addEventListener('input', () => {
  const address = new URL(location.href);
  const camera = cameraIn(field);
  if (camera === '') address.searchParams.delete('camera_id');
  else address.searchParams.set('camera_id', camera);
  address.searchParams.delete('id');
  history.replaceState(null, '', address);
  [limit, id] = [PAGE, null];
  askAgain().catch((error) => { console.warn(error.message); });
});

async function refreshCameras() {
  const { streams } = await ask('api/streams');
  keyed(document.querySelector('#camera-ids'), streams, ({ camera_id }) => camera_id, ({ camera_id }) => element('option', { value: String(camera_id) }));
}

setInterval(() => { if (!document.hidden) tell(); }, 1000);
void keepAsking('records', refresh, 4);
void keepAsking('cameras', refreshCameras, 30);
void keepAsking('readiness', refreshReadiness, 5);
