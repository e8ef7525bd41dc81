/** Keeps the page fresh: asks for streams, models, cameras and records, each at its own pace. */
import { ask, NoAnswer, setText } from './dom.js';
import { refreshRecords } from './record-list.js';
import { enhanceForm, refreshCameras, showModels } from './start-form.js';
import { showStreams } from './stream-list.js';

const trouble = document.querySelector('#trouble');
/** What cannot be shown, and why: that one thing is answered says nothing about the others. */
const failing = new Map();
let models = new Map();

async function refreshStreams() {
  showStreams(await ask('/api/streams'), models, refreshStreams);
}

async function refreshModels() {
  const answer = await ask('/api/models');
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
  setText(trouble, gone ? `${gone.message} It is asked again every few seconds.` : faults.join(' '));
  trouble.hidden = failing.size === 0;
}

enhanceForm(async () => { await Promise.all([refreshStreams(), refreshCameras()]); });
// A message about a form that was sent belongs to this visit only.
if (location.search) history.replaceState(null, '', location.pathname);
void keepAsking('models', refreshModels, 3);
void keepAsking('streams', refreshStreams, 1.5);
void keepAsking('records', refreshRecords, 4);
void keepAsking('cameras', refreshCameras, 30);
