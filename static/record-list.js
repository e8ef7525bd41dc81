/** Records as cards: the frame of the surest box with its boxes, when and where, what was found. */
import { overlay } from './boxes.js';
import { addressOf, ask, count, element, keyed, setText, words } from './dom.js';
import { whenLost } from './lost-picture.js';
import { countClasses, readRecord } from './record.js';

/** As many records come with their pictures at once. */
const MOST_PICTURES = 50;
/** Marks a record that came without its picture, whether it has one or not. */
const LEFT_OUT = Symbol('left out');

/** Cards in `list`, each made once. */
export function createRecordList(list) {
  /** By the record's key. */
  const cards = new Map();

  /** Records of the Flask orchestrator have no name to ask for their picture by: they come with it, once. */
  async function withPictures(records, query) {
    const isOld = (record) => readRecord(record).id === null && !cards.has(readRecord(record).key);
    if (!records.some(isOld)) return records;
    const whole = (await ask(`api/records?${new URLSearchParams({ ...query, limit: Math.min(query.limit, MOST_PICTURES), pictures: true })}`)).records;
    const byKey = new Map(whole.map((record) => [readRecord(record).key, record]));
    return records.map((record) => (isOld(record) ? byKey.get(readRecord(record).key) ?? { ...record, [LEFT_OUT]: true } : record));
  }

  return {
    get size() { return cards.size; },
    has: (record) => cards.has(readRecord(record).key),
    /** `query`: limit, camera_id. */
    newest: async (query) => withPictures((await ask(`api/records?${new URLSearchParams(query)}`)).records, query),
    show(records) {
      const byKey = new Map(records.map((record) => [readRecord(record).key, record]));
      for (const [key, record] of byKey) if (!cards.has(key)) cards.set(key, makeCard(record));
      keyed(list, [...byKey.keys()], (key) => key, (key) => cards.get(key).card);
      for (const [key, { forget }] of cards) {
        if (byKey.has(key)) continue;
        forget();
        cards.delete(key);
      }
    },
  };
}

function makeCard(record) {
  const view = readRecord(record);
  const blob = view.id === null ? URL.createObjectURL(new Blob([JSON.stringify(record, null, 2)], { type: 'application/json' })) : null;
  const json = blob ?? addressOf(`api/records?${new URLSearchParams({ id: view.id, pictures: true })}`);
  const time = element('time', { className: 'quiet' });
  const of = element('span');
  const say = (shown) => {
    const at = shown?.capturedAt ?? view.startedAt;
    if (at) time.dateTime = at;
    setText(time, at ? new Date(at).toLocaleString() : view.timeText);
    setText(of, view.frames === null ? '' : shown === null ? count(view.frames, 'frame') : `Frame ${shown.index + 1} of ${view.frames}`);
  };
  say(view.pictures[0] ?? null);
  const card = element('article', { className: 'item record' },
    picture(record, view, say),
    element('div', { className: 'body' },
      element('div', { className: 'line' }, element('h3', { textContent: view.camera, title: view.camera }), time),
      findings(view),
      element('div', { className: 'facts' },
        view.frames === null ? '' : of,
        view.place === null ? '' : element('span', { textContent: view.place }),
        element('a', { href: json, target: '_blank', textContent: 'JSON', ariaLabel: `JSON of the record of ${view.camera}` }))));
  return { card, forget: () => { if (blob !== null) URL.revokeObjectURL(blob); } };
}

/** `say` is told which frame is shown: that of the surest box may not have been kept. */
function picture(record, view, say) {
  const figure = element('figure', { className: 'picture' });
  const choices = view.id === null ? [] : [...view.pictures];
  const image = element('img', { loading: 'lazy', decoding: 'async' });
  const none = (why = view.pictures.length === 0 ? 'No snapshot in this record' : 'Its picture is gone') => { figure.replaceChildren(element('p', { textContent: why })); };
  const show = () => {
    const [choice] = choices;
    if (choice === undefined) { none(); return; }
    image.alt = `Frame ${choice.index + 1} of the batch of ${view.camera}`;
    image.src = addressOf(`api/records/${encodeURIComponent(view.id)}/picture.jpg${choice.isSnapshot ? '' : `?frame=${choice.index}`}`);
  };
  if (view.id === null) {
    if (view.picture === null) {
      none(record[LEFT_OUT] ? `Only the newest ${MOST_PICTURES} records of this form come with their snapshot` : undefined);
      return figure;
    }
    Object.assign(image, { alt: `Snapshot of ${view.camera}`, src: `data:image/jpeg;base64,${view.picture}` });
  } else {
    image.addEventListener('load', () => {
      const [{ size, boxes }] = choices;
      say(choices[0]);
      figure.querySelector('svg')?.remove();
      if (size && boxes.length > 0) figure.append(overlay(size, boxes));
    });
    whenLost(image, () => {
      choices.shift();
      show();
    });
  }
  figure.append(image);
  if (view.id !== null) show();
  return figure;
}

function findings(view) {
  const lines = view.sections.map(({ name, detections }) => {
    const title = element('span', { className: 'quiet', textContent: `${words(name)}: ` });
    const found = countClasses(detections).map((one) => `${one.class} × ${one.times} (up to\u00a0${Math.round(one.best * 100)}\u00a0%)`).join(', ');
    return element('li', {}, title, found ? element('span', { className: 'found', textContent: found }) : 'nothing found');
  });
  const faults = view.faults.map((fault) => element('li', { className: 'error', textContent: fault }));
  const gaps = view.gaps.map((gap) => element('li', { className: 'hint', textContent: gap }));
  return element('ul', { className: 'findings' }, ...lines, ...faults, ...gaps);
}
