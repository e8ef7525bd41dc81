/** The latest records: snapshot with its boxes, when and where, what was found. */
import { ask, count, element, keyed, setText, svgElement, words } from './dom.js';
import { countClasses, readRecord } from './record.js';

const SHOWN = 12;
const list = document.querySelector('#record-list');
const cards = new Map();

/** Pictures are large: they are asked for only when there is a record that the page has not got. */
export async function refreshRecords() {
  const { records } = await ask(`api/records?limit=${SHOWN}`);
  const keys = records.map((record) => readRecord(record).key);
  const missing = keys.findLastIndex((key) => !cards.has(key)) + 1;
  const fresh = missing === 0 ? [] : (await ask(`api/records?limit=${missing}&pictures=true`)).records;
  for (const record of fresh) {
    const { key } = readRecord(record);
    if (!cards.has(key)) cards.set(key, makeCard(record));
  }
  const shown = [...new Set([...fresh.map((record) => readRecord(record).key), ...keys])].slice(0, SHOWN);
  keyed(list, shown, (key) => key, (key) => cards.get(key).card);
  for (const [key, { forget }] of cards) {
    if (shown.includes(key)) continue;
    forget();
    cards.delete(key);
  }
  document.querySelector('#no-records').hidden = shown.length > 0;
}

function makeCard(record) {
  const view = readRecord(record);
  const json = URL.createObjectURL(new Blob([JSON.stringify(record, null, 2)], { type: 'application/json' }));
  const time = element('time', { className: 'quiet' });
  if (view.capturedAt) time.dateTime = view.capturedAt;
  setText(time, view.capturedAt ? new Date(view.capturedAt).toLocaleString() : view.timeText);
  const card = element('article', { className: 'item record' },
    picture(view),
    element('div', { className: 'body' },
      element('div', { className: 'line' }, element('h3', { textContent: view.camera }), time),
      findings(view),
      element('div', { className: 'facts' },
        view.frames === null ? '' : element('span', { textContent: count(view.frames, 'frame') }),
        view.place === null ? '' : element('span', { textContent: view.place }),
        element('a', { href: json, target: '_blank', textContent: 'JSON', ariaLabel: `JSON of the record of ${view.camera}` }))));
  return { card, forget: () => URL.revokeObjectURL(json) };
}

function picture(view) {
  const figure = element('figure', { className: 'picture' });
  if (!view.picture) {
    figure.append(element('p', { textContent: 'No snapshot in this record' }));
    return figure;
  }
  figure.append(element('img', { src: `data:image/jpeg;base64,${view.picture}`, alt: `Snapshot of ${view.camera}` }));
  if (view.size && view.boxes.length > 0) figure.append(overlay(view.size, view.boxes));
  return figure;
}

function overlay({ width, height }, boxes) {
  const letter = width / 28;
  return svgElement('svg', { viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' }, ...boxes.map(({ box: [x1, y1, x2, y2], class: name, confidence }) => {
    const text = `${name} ${Math.round(confidence * 100)} %`;
    // Bold letters are at most 0.7 as wide as high: a label that could end beyond the picture is set from its right edge.
    const fits = x1 + text.length * letter * 0.7 < width;
    const label = svgElement('text', {
      x: fits ? Math.max(x1, letter * 0.2) : width - letter * 0.2, 'text-anchor': fits ? 'start' : 'end',
      y: y1 > letter * 1.4 ? y1 - letter * 0.4 : Math.min(y1 + letter * 1.1, height - 2),
      'font-size': letter, 'stroke-width': letter / 5,
    }, text);
    return svgElement('g', {}, svgElement('rect', { x: x1, y: y1, width: Math.max(0, x2 - x1), height: Math.max(0, y2 - y1) }), label);
  }));
}

function findings(view) {
  const lines = view.sections.map(({ name, detections }) => {
    const title = element('span', { className: 'quiet', textContent: `${words(name)}: ` });
    const found = countClasses(detections).map((one) => `${one.class} × ${one.times} (up to ${Math.round(one.best * 100)} %)`).join(', ');
    return element('li', {}, title, found ? element('span', { className: 'found', textContent: found }) : 'nothing found');
  });
  const faults = view.faults.map((fault) => element('li', { className: 'error', textContent: fault }));
  const gaps = view.gaps.map((gap) => element('li', { className: 'hint', textContent: gap }));
  return element('ul', { className: 'findings' }, ...lines, ...faults, ...gaps);
}
