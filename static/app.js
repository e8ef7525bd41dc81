/** Keeps the page fresh: asks for streams, models, cameras and records, each at its own pace. */
import { ask, NoAnswer, setText } from './dom.js';
import { refreshRecords } from './record-list.js';
import { enhanceForm, refreshCameras, showModels } from './start-form.js';
import { showStreams } from './stream-list.js';

const trouble = document.querySelector('#trouble');
/** What cannot be shown, and why: that one thing is answered says nothing about the others. */
const failing = new Map();
/** What keeps records from being written. */
let waitingFor = [];
let models = new Map();

async function refreshStreams() {
  const answer = await ask('api/streams');
  waitingFor = answer.not_ready;
  showStreams(answer, models, refreshStreams);
}

async function refreshModels() {
  const answer = await ask('api/models');
  models = new Map(answer.models.map((model) => [model.name, model]));
  showModels(answer);
}

/** Asks now and then again and again; not while nobody looks. */
async function keepAsking(what, refresh, seconds) {
  for (;;) {
    if (!document.hidden) {
      try {
        await refresh();
        failing.delete(what);
      } catch (error) {
        console.warn(error.message);
        failing.set(what, error);
      }
      tell();
    }
    const pause = failing.has(what) ? Math.min(seconds, 3) : seconds;
    await new Promise((resolve) => setTimeout(resolve, pause * 1000));
  }
}

function tell() {
  const gone = [...failing.values()].find((error) => error instanceof NoAnswer);
  const faults = [...failing].map(([what, error]) => `The ${what} cannot be shown: ${error.message}`);
  const waits = waitingFor.map((reason) => `Not ready: ${reason}.`);
  setText(trouble, gone ? `${gone.message} It is asked again every few seconds.` : [...faults, ...waits].join(' '));
  trouble.hidden = trouble.textContent === '';
}

enhanceForm(async () => { await Promise.all([refreshStreams(), refreshCameras()]); });
// A message about a form that was sent belongs to this visit only.
if (location.search) history.replaceState(null, '', location.pathname);
void keepAsking('models', refreshModels, 3);
void keepAsking('streams', refreshStreams, 1.5);
void keepAsking('records', refreshRecords, 4);
void keepAsking('cameras', refreshCameras, 30);
