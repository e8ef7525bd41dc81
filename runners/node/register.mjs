/** Lets what lies in $LOOKOUT_MODEL_FOLDER find, by `import` and `require`, the packages of $LOOKOUT_ENVIRONMENT; without one nothing changes. */
import { realpathSync } from 'node:fs';
import { createRequire, Module } from 'node:module';
import { initialize, isFromEnvironment, manifestOf, resolve } from './packages.mjs';

if (process.env.LOOKOUT_ENVIRONMENT) {
  // As Node tells the files that import.
  const place = { environment: realpathSync(process.env.LOOKOUT_ENVIRONMENT), folder: realpathSync(process.env.LOOKOUT_MODEL_FOLDER) };
  if (Module.registerHooks) {
    initialize(place);
    Module.registerHooks({ resolve });
  } else {
    // Before Node 22.15.
    Module.register('./packages.mjs', import.meta.url, { data: place });
  }

  // For `require` the hooks, where they are asked at all, cannot say where it comes from.
  const inside = createRequire(manifestOf(place));
  const usual = Module._resolveFilename;
  Module._resolveFilename = function (request, parent, isMain, options) {
    const own = options?.paths === undefined && isFromEnvironment(request, parent?.filename ?? undefined, place);
    return own ? inside.resolve(request) : usual.call(this, request, parent, isMain, options);
  };
}
