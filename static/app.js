/** Keeps the page fresh: asks for streams, models, cameras and records, each at its own pace. */
import { ask } from './dom.js';
import { refreshRecords } from './record-list.js';
import { enhanceForm, refreshCameras, showModels } from './start-form.js';
import { showStreams } from './stream-list.js';

const offline = document.querySelector('#offline');
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
async function keepAsking(refresh, seconds) {
  for (;;) {
    if (!document.hidden) {
      try {
        await refresh();
        offline.hidden = true;
      } catch (error) {
        console.warn(error.message);
        offline.hidden = false;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  }
}

enhanceForm(async () => { await Promise.all([refreshStreams(), refreshCameras()]); });
// A message about a form that was sent belongs to this visit only.
if (location.search) history.replaceState(null, '', location.pathname);
void keepAsking(refreshModels, 3);
void keepAsking(refreshStreams, 1.5);
void keepAsking(refreshRecords, 4);
void keepAsking(refreshCameras, 30);
