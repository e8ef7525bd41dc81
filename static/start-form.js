/** The form: one card per stream, cameras of the table to choose from, models to tick. */
import { ask, element, keyed, setText, whileBusy, words } from './dom.js';
import { joinLogin, splitLogin } from './login.js';
import { modelState, showChip, troubleOf } from './model-words.js';

const form = document.querySelector('#start-form');
const cards = document.querySelector('#cards');
const models = document.querySelector('#models');
const results = document.querySelector('#results');
const emptyCard = cards.firstElementChild.cloneNode(true);
let known = new Map();

const field = (card, name) => card.querySelector(`[name="${name}"]`);

/** `started` is called with the number of streams that were started. */
export function enhanceForm(started) {
  document.querySelector('#add-card').hidden = false;
  document.querySelector('#options').hidden = false;
  prepare(cards.firstElementChild);
  document.querySelector('#add-card').addEventListener('click', () => { field(addCard(), 'rtsp_url').focus(); });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void whileBusy(form.querySelector('[type="submit"]'), () => submit(started));
  });
}

/** Beside many streams the form waits folded until it is asked for; not under the hand of somebody who fills it in. */
export function foldForm(folded) {
  if (!form.contains(document.activeElement) && [...cards.querySelectorAll('input')].every(({ value }) => value === '')) form.closest('details').open = !folded;
}

export async function refreshCameras() {
  const { cameras } = await ask('api/cameras');
  known = new Map(cameras.map((camera) => [camera.cameraID.trim(), camera]));
  keyed(document.querySelector('#camera-ids'), [...known.keys()], (id) => id, (id) => element('option', { value: id }));
  for (const card of cards.children) showPlace(card);
}

export function showModels({ models: all, default_models }) {
  if (!document.querySelector('#model-list')) {
    const named = chosenModels();
    models.replaceChildren(models.querySelector('legend'), element('div', { id: 'model-list' }));
    if (named.length > 0) default_models = named;
  }
  keyed(document.querySelector('#model-list'), all, (model) => model.name, (model) => makeChoice(model, default_models.includes(model.name)), updateChoice);
}

function makeChoice(model, checked) {
  return element('label', { className: 'choice' },
    element('input', { type: 'checkbox', name: 'model_name', value: model.name, checked }),
    element('span', { textContent: model.name }), element('span', { className: 'chip' }),
    element('span', { className: 'hint' }));
}

function updateChoice(choice, model) {
  if (model.missing === null) showChip(choice.querySelector('.chip'), model.state, modelState(model));
  else showChip(choice.querySelector('.chip'), 'waiting', 'Incomplete');
  const hint = choice.querySelector('.hint');
  setText(hint, model.missing ?? (troubleOf(model) || [`reports as ${words(model.section ?? model.name)}`, model.device && `on ${model.device}`, memoryOf(model)].filter(Boolean).join(' · ')));
  if (hint.title !== hint.textContent) hint.title = hint.textContent;
}

/** Of each runner that is up. */
function memoryOf({ runners }) {
  const known = runners.filter(({ memory_bytes: bytes }) => bytes !== null).map(({ memory_bytes: bytes }) => `${Math.round(bytes / 1e6).toLocaleString('en')} MB`);
  return known.length === 0 ? '' : `${known.join(' + ')} of memory`;
}

/** The ticked ones, or the names that were typed while there is nothing to tick yet. */
function chosenModels() {
  return new FormData(form).getAll('model_name').flatMap((names) => names.split(',')).map((name) => name.trim()).filter((name) => name !== '');
}

function addCard() {
  const card = emptyCard.cloneNode(true);
  cards.append(card);
  prepare(card);
  number();
  return card;
}

function prepare(card) {
  field(card, 'camera_id').addEventListener('input', () => { showPlace(card); });
  card.querySelector('[data-remove]').addEventListener('click', () => {
    card.remove();
    number();
    document.querySelector('#add-card').focus();
  });
  field(card, 'rtsp_url').addEventListener('change', () => { hideLogin(card); });
  showPlace(card);
}

/** An address with its user name and password in it is taken apart: the password is hidden from who looks at the screen. */
function hideLogin(card) {
  const parts = splitLogin(field(card, 'rtsp_url').value);
  if (parts === null) return;
  field(card, 'rtsp_url').value = parts.url;
  field(card, 'username').value = parts.username;
  field(card, 'password').value = parts.password;
  card.querySelector('.login').open = true;
}

function number() {
  [...cards.children].forEach((card, index) => {
    setText(card.querySelector('legend'), `Stream ${index + 1}`);
    card.querySelector('[data-remove]').hidden = cards.children.length === 1;
  });
}

/** Coordinates are asked for only where the table has none. */
function showPlace(card) {
  const id = field(card, 'camera_id').value.trim();
  const camera = known.get(id);
  card.querySelector('.coordinates').hidden = id === '' || camera !== undefined;
  const choose = known.size === 0 ? 'Give the camera a name.' : `Choose one of ${known.size} known, or type a new name.`;
  setText(card.querySelector('[data-hint="camera"]'), id === '' ? choose : camera ? `Known camera at ${camera.latitude || '?'}, ${camera.longitude || '?'}` : 'A new camera.');
}

async function submit(started) {
  const chosen = chosenModels();
  results.replaceChildren();
  try {
    // Nothing typed means the default models, nothing ticked means nothing.
    if (chosen.length === 0 && document.querySelector('#model-list')) throw new Error('Choose at least one model.');
    const wanted = [];
    for (const card of [...cards.children]) {
      const stream = await readCard(card);
      if (stream) wanted.push({ card, stream });
    }
    if (wanted.length > 0) await start(wanted, chosen);
    await started(results.children.length);
  } catch (error) {
    results.append(element('li', { className: 'error', textContent: error.message }));
  }
}

/** Adds the camera where it is new. null: it could not be added, and its card says why. */
async function readCard(card) {
  hideLogin(card);
  const [url, camera_id, latitude, longitude, username] = ['rtsp_url', 'camera_id', 'latitude', 'longitude', 'username'].map((name) => field(card, name).value.trim());
  const rtsp_url = joinLogin({ url, username, password: field(card, 'password').value });
  showFault(card, '');
  if (!known.has(camera_id) && latitude + longitude !== '') {
    try {
      await ask('api/cameras', { method: 'POST', body: { cameraID: camera_id, latitude, longitude } });
    } catch (error) {
      // Somebody else added it meanwhile: that is as good.
      if (error.message !== 'Camera ID already exists') { showFault(card, error.message); return null; }
    }
  }
  return { camera_id, rtsp_url, ...numbers(['interval_seconds', 'batch_size']) };
}

function numbers(names) {
  const filled = names.map((name) => [name, form.elements[name].value]).filter(([, value]) => value !== '');
  return Object.fromEntries(filled.map(([name, value]) => [name, Number(value)]));
}

async function start(wanted, chosen) {
  const body = { streams: wanted.map(({ stream }) => stream), ...(chosen.length > 0 ? { model_name: chosen } : {}) };
  const answer = await ask('start_streams', { method: 'POST', body });
  answer.results.forEach((result, index) => {
    const { card } = wanted[index];
    if (result.status === 'error') { showFault(card, result.message); return; }
    const text = result.status === 'started' ? `${result.camera_id}: started` : `${result.camera_id}: was running already`;
    results.append(element('li', { className: 'good', textContent: text }));
    card.remove();
  });
  if (cards.children.length === 0) addCard();
  number();
  // Where its card went, the focus goes on to the next one.
  if (document.activeElement === document.body) field(cards.firstElementChild, 'rtsp_url').focus();
}

function showFault(card, message) {
  const fault = card.querySelector('.fault');
  setText(fault, message);
  fault.hidden = message === '';
}
