/** The list of streams: state in words, latest picture, progress to the next batch, stop and start. */
import { addressOf, ago, ask, count, element, keyed, setText, whileBusy } from './dom.js';
import { makePicture, showPicture } from './live-picture.js';

const STATES = { starting: 'Starting', provisioning: 'Preparing model', running: 'Running', reconnecting: 'Reconnecting', failed: 'Failed', stopped: 'Stopped' };
const MODEL_STATES = { idle: 'Idle', provisioning: 'Being prepared', ready: 'Ready', busy: 'Working', failed: 'Failed' };

const list = document.querySelector('#stream-list');

export function showChip(chip, kind, text) {
  const name = `chip ${kind}`;
  if (chip.className !== name) chip.className = name;
  setText(chip, text);
}

export const modelState = ({ state }) => MODEL_STATES[state] ?? state;

/** What keeps a model from running, or its newest state from taking over; '': nothing. */
export function troubleOf({ state, reason, progress, successor }) {
  if (state === 'provisioning') return progress ?? reason;
  if (state === 'failed') return reason;
  if (successor === null) return '';
  return successor.state === 'failed' ? `Goes on as it was. ${successor.reason}` : `Works, while its new state is being prepared: ${successor.progress ?? successor.reason}`;
}

/** `models` by name, as /api/models last told. */
export function showStreams({ streams, books }, models, refresh) {
  keyed(list, streams, (stream) => stream.camera_id, (stream) => makeCard(stream, refresh), (card, stream) => { updateCard(card, stream, models); });
  document.querySelector('#no-streams').hidden = streams.length > 0;
  setText(document.querySelector('#summary'), streams.length === 0 ? '' : summary(streams, books));
}

function summary(streams, books) {
  const running = streams.filter((stream) => stream.state === 'running').length;
  const dropped = Object.values(books.dropped).reduce((sum, number) => sum + number, 0);
  return [`${running} of ${count(streams.length, 'stream')} running`, `${count(books.captured, 'frame')} captured`, dropped > 0 ? `${dropped.toLocaleString('en')} dropped` : ''].filter(Boolean).join(' · ');
}

function makeCard(stream, refresh) {
  const name = String(stream.camera_id);
  const part = (tag, className, properties = {}) => element(tag, { className, ...properties });
  const resource = `api/streams/${encodeURIComponent(name)}`;
  const fault = part('p', 'fault', { hidden: true });
  fault.setAttribute('role', 'alert');
  const makeButton = (className, properties, press) => {
    const button = part('button', `plain small ${className}`, { type: 'button', ...properties });
    button.addEventListener('click', () => whileBusy(button, async () => {
      fault.hidden = true;
      try {
        await press(button);
        await refresh();
      } catch (error) {
        setText(fault, error.message);
        fault.hidden = false;
      }
    }));
    return button;
  };
  const toggle = makeButton('toggle', {}, ({ dataset: { action } }) => (action === 'stop'
    ? ask('stop_stream', { method: 'POST', body: { camera_id: stream.camera_id } })
    : ask(resource, { method: 'PATCH', body: { enabled: true } })));
  const remove = makeButton('remove', { textContent: 'Remove', ariaLabel: `Remove ${name}` }, async () => {
    if (!confirm(`Remove ${name}? Its address and options are forgotten; its records stay.`)) return;
    await ask(resource, { method: 'DELETE' });
    // With the card its focus would go.
    (card.nextElementSibling ?? card.previousElementSibling)?.querySelector('.toggle').focus();
  });
  const card = element('article', { className: 'item stream' },
    makePicture(name),
    element('div', { className: 'body' },
      element('div', { className: 'line' }, element('h3', { textContent: name }), part('span', 'chip')),
      part('p', 'reason'),
      element('div', { className: 'batch' },
        element('div', { className: 'line' }, element('span', { textContent: 'Next batch' }), part('span', 'filled')),
        part('progress', '', { ariaLabel: `Frames of the next batch of ${name}` })),
      part('div', 'model-lines'),
      part('div', 'facts'),
      part('p', 'hint last-error'),
      fault,
      element('div', { className: 'line' },
        element('div', { className: 'buttons' }, toggle, remove),
        element('a', { className: 'quiet', href: addressOf(resource), textContent: 'JSON', ariaLabel: `JSON of the stream of ${name}` }))));
  return card;
}

function updateCard(card, stream, models) {
  const find = (selector) => card.querySelector(selector);
  showChip(find('.body .chip'), stream.state, STATES[stream.state] ?? stream.state);
  setText(find('.reason'), stream.reason);

  showPicture(find('.picture'), stream.last_frame_at, stream.capturing ? 'Waiting for the first picture …' : 'No picture');

  find('.batch').hidden = !stream.capturing;
  find('progress').max = stream.options.batch_size;
  find('progress').value = stream.open_batch;
  setText(find('.filled'), `${stream.open_batch} of ${count(stream.options.batch_size, 'frame')}`);

  keyed(find('.model-lines'), stream.models, (name) => name, (name) => element('div', {}, element('div', { className: 'line' }, element('span', { textContent: name }), element('span', { className: 'chip' })), element('p', { className: 'hint' })), (line, name) => {
    updateModel(line, models.get(name), stream.camera_id);
  });
  const facts = factsOf(stream);
  keyed(find('.facts'), facts, ([key]) => key, () => element('span'), (node, [, text]) => { setText(node, text); });
  // While it reconnects the reason says it already.
  const error = stream.last_error !== null && !stream.reason.includes(stream.last_error.message) ? stream.last_error : null;
  find('.last-error').hidden = error === null;
  setText(find('.last-error'), error === null ? '' : `Last error ${new Date(error.at).toLocaleTimeString()}: ${error.message}`);

  const button = find('.toggle');
  button.dataset.action = stream.capturing ? 'stop' : 'start';
  setText(button, stream.capturing ? 'Stop' : 'Start again');
  button.ariaLabel = `${button.textContent} ${String(stream.camera_id)}`;
  find('.remove').hidden = stream.capturing || stream.origin !== 'api';
}

function updateModel(line, model, camera) {
  showChip(line.querySelector('.chip'), model?.state ?? 'unknown', model ? modelState(model) : 'Unknown');
  setText(line.querySelector('.hint'), model ? troubleOf(model) || skippedOf(Object.hasOwn(model.cameras, camera) ? model.cameras[camera] : undefined) : '');
}

/** Which of the camera's frames the model did not look at. */
function skippedOf({ looked, failed, skipped } = { looked: 0, failed: 0, skipped: {} }) {
  const reasons = Object.entries(skipped);
  const left = reasons.reduce((sum, [, number]) => sum + number, 0);
  const all = looked + failed + left;
  return left === 0 ? '' : `Looked at ${Math.round((100 * (all - left)) / all)} % of ${all.toLocaleString('en')} frames; not at ${reasons.map(([reason, number]) => `${number.toLocaleString('en')} (${reason.replaceAll('_', ' ')})`).join(', ')}`;
}

function factsOf({ last_frame_age_seconds: age, books, queued, reconnects }) {
  const dropped = Object.entries(books.dropped).filter(([, number]) => number > 0);
  return [
    age === null ? null : ['age', `Picture ${ago(age)}`],
    ['captured', `${count(books.captured, 'frame')} captured`],
    books.recorded === 0 ? null : ['recorded', `${books.recorded.toLocaleString('en')} recorded`],
    queued === 0 ? null : ['queued', `${count(queued, 'batch', 'batches')} waiting`],
    reconnects === 0 ? null : ['reconnects', count(reconnects, 'reconnect')],
    dropped.length === 0 ? null : ['dropped', `Dropped: ${dropped.map(([reason, number]) => `${number} ${reason.replaceAll('_', ' ')}`).join(', ')}`],
  ].filter(Boolean);
}
