/** One stream's tile: its latest picture and how old that is, its state in words, and folded beside many others, all else. */
import { addressOf, ago, ask, count, element, keyed, setText, whileBusy } from './dom.js';
import { makePicture, showPicture } from './live-picture.js';
import { showChip, modelState, troubleOf } from './model-words.js';
import { watch } from './on-screen.js';
import { inOneSentence } from './trouble.js';

const part = (tag, className, properties = {}) => element(tag, { className, ...properties });

/**
 * `refresh` is called after its stream was changed. The tile's parts: `node`; `update(stream, condition, models)`;
 * `look(models)`, when something was told about models; `tick(age)`, a second later; `fold(whether)` hides all but the most important.
 */
export function makeTile({ camera_id }, refresh) {
  const name = String(camera_id);
  const picture = makePicture(name);
  const age = part('span', 'age', { hidden: true });
  picture.append(age);
  const chip = part('span', 'chip');
  const reason = part('p', 'reason');
  const more = element('details', { className: 'more' }, element('summary', { textContent: 'Details', ariaLabel: `Details of ${name}` }));
  const node = element('article', { className: 'item stream' },
    picture,
    element('div', { className: 'head' }, element('div', { className: 'line' }, element('h3', { textContent: name, title: name }), chip), reason),
    more);
  let [stream, models, details, onScreen, seconds] = [null, new Map(), null, false, null];
  watch(node, (visible) => { onScreen = visible; showAge(); });
  more.addEventListener('toggle', showMore);

  /** Off screen nobody sees it. */
  function showAge() {
    if (!onScreen) return;
    age.hidden = seconds === null;
    if (seconds !== null) setText(age, ago(seconds));
  }

  /** Of hundreds of tiles few are ever unfolded. */
  function showMore() {
    if (!more.open || stream === null) return;
    if (details === null) {
      details = makeDetails(node, camera_id, refresh);
      more.append(details.body);
    }
    details.show(stream, models);
  }

  return {
    node,
    update(now, condition, known) {
      [stream, models] = [now, known];
      const className = `item stream is-${condition.kind}${condition.live ? '' : ' is-old'}`;
      if (node.className !== className) node.className = className;
      showChip(chip, condition.kind, condition.label);
      setText(reason, inOneSentence(now).sentence);
      showPicture(picture, now.last_frame_at, now.capturing ? 'Waiting for the first picture …' : now.state === 'asleep' ? 'No picture yet' : 'No picture');
      showMore();
    },
    look(known) { models = known; showMore(); },
    tick(age) { seconds = age; showAge(); },
    fold(whether) {
      more.open = !whether;
      showMore();
    },
  };
}

/** It captures, or does as soon as somebody asks. */
const isOn = ({ capturing, state }) => capturing || state === 'asleep';

/** What ffmpeg says, the next batch, the models, the books, and what can be done. `node`: the whole tile. */
function makeDetails(node, camera_id, refresh) {
  const name = String(camera_id);
  const resource = `api/streams/${encodeURIComponent(name)}`;
  const nextTry = part('p', 'hint');
  const words = part('p', 'hint');
  const fault = element('details', { className: 'words' }, element('summary', { textContent: 'Technical details' }), words);
  const filled = part('span', 'filled');
  const progress = part('progress', '', { ariaLabel: `Frames of the next batch of ${name}` });
  const batch = element('div', { className: 'batch' }, element('div', { className: 'line' }, element('span', { textContent: 'Next batch' }), filled), progress);
  const lines = part('div', 'model-lines');
  const facts = part('div', 'facts');
  const lastError = part('p', 'hint last-error');
  const refused = part('p', 'fault', { hidden: true });
  refused.setAttribute('role', 'alert');
  const toggle = makeButton('toggle', {}, ({ dataset: { action } }) => (action === 'stop'
    ? ask('stop_stream', { method: 'POST', body: { camera_id } })
    : ask(resource, { method: 'PATCH', body: { enabled: true } })));
  const remove = makeButton('remove', { textContent: 'Remove', ariaLabel: `Remove ${name}` }, async () => {
    if (!confirm(`Remove ${name}? Its address and options are forgotten; its records stay.`)) return;
    await ask(resource, { method: 'DELETE' });
    // With the tile its focus would go.
    const next = node.nextElementSibling ?? node.previousElementSibling;
    (next?.querySelector('.more[open] .toggle') ?? next?.querySelector('.more summary'))?.focus();
  });
  const live = element('a', { className: 'quiet', href: addressOf(`api/cameras/${encodeURIComponent(name)}/stream.mjpeg`), target: '_blank', textContent: 'Live', ariaLabel: `Live pictures of ${name}` });
  const body = element('div', { className: 'body' },
    nextTry, fault, batch, lines, facts, lastError, refused,
    element('div', { className: 'line' },
      element('div', { className: 'buttons' }, toggle, remove),
      element('div', { className: 'links' },
        live,
        element('a', { className: 'quiet', href: addressOf(`records?camera_id=${encodeURIComponent(name)}`), textContent: 'Records', ariaLabel: `Records of ${name}` }),
        element('a', { className: 'quiet', href: addressOf(resource), textContent: 'JSON', ariaLabel: `JSON of the stream of ${name}` }))));

  function makeButton(className, properties, press) {
    const button = part('button', `plain small ${className}`, { type: 'button', ...properties });
    button.addEventListener('click', () => whileBusy(button, async () => {
      refused.hidden = true;
      try {
        await press(button);
        await refresh();
      } catch (error) {
        setText(refused, error.message);
        refused.hidden = false;
      }
    }));
    return button;
  }

  return {
    body,
    show(stream, models) {
      const said = inOneSentence(stream);
      setText(nextTry, said.next);
      nextTry.hidden = said.next === '';
      setText(words, said.words);
      fault.hidden = said.words === '';
      // Without a model it is only shown.
      batch.hidden = !stream.capturing || (stream.options.on_demand && stream.models.length === 0);
      progress.max = stream.options.batch_size;
      progress.value = stream.open_batch;
      setText(filled, `${stream.open_batch} of ${count(stream.options.batch_size, 'frame')}`);
      keyed(lines, stream.models, (model) => model, makeModelLine, (line, model) => { updateModel(line, models.get(model), camera_id); });
      keyed(facts, factsOf(stream), ([key]) => key, () => element('span'), (fact, [, text]) => { setText(fact, text); });
      // While it reconnects the reason says it already.
      const error = stream.last_error !== null && !stream.reason.includes(stream.last_error.message) ? stream.last_error : null;
      lastError.hidden = error === null;
      setText(lastError, error === null ? '' : `Last error ${new Date(error.at).toLocaleTimeString()}: ${error.message}`);
      const on = isOn(stream);
      toggle.dataset.action = on ? 'stop' : 'start';
      setText(toggle, on ? 'Stop' : 'Start again');
      toggle.ariaLabel = `${toggle.textContent} ${name}`;
      remove.hidden = on || stream.origin !== 'api';
      live.hidden = !on;
    },
  };
}

function makeModelLine(name) {
  return element('div', {}, element('div', { className: 'line' }, element('span', { textContent: name }), element('span', { className: 'chip' })), element('p', { className: 'hint' }));
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

function factsOf({ books, queued, reconnects }) {
  const dropped = Object.entries(books.dropped).filter(([, number]) => number > 0);
  return [
    ['captured', `${count(books.captured, 'frame')} captured`],
    books.recorded === 0 ? null : ['recorded', `${books.recorded.toLocaleString('en')} recorded`],
    queued === 0 ? null : ['queued', `${count(queued, 'batch', 'batches')} waiting`],
    reconnects === 0 ? null : ['reconnects', count(reconnects, 'reconnect')],
    dropped.length === 0 ? null : ['dropped', `Dropped: ${dropped.map(([reason, number]) => `${number} ${reason.replaceAll('_', ' ')}`).join(', ')}`],
  ].filter(Boolean);
}
