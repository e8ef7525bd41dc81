import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * The files of more than ten seconds, about by the time they took when last measured: none is left for the end, where it
 * would run alone. Those that keep a processor busy stand among those that wait for cameras and clocks.
 */
const LONGEST = [
  'e2e/real-video', 'e2e/live', 'runtimes/python-installers', 'runtimes/python', 'sources/odd-camera', 'sources/odd-camera-ffmpeg', 'sources/freshness', 'sources/http', 'lib/lock', 'sources/file',
  'http/page-many', 'http/page-live', 'e2e/faults', 'sources/reconnects', 'promises/conditions', 'promises/dead-cameras', 'promises/reconnects', 'promises/interference', 'sources/capture', 'e2e/crash-injected', 'http/page', 'http/page-events', 'e2e/crash-errors', 'commands/exit-codes', 'followers/postgres', 'e2e/event-clips', 'sources/own-clock', 'e2e/main-road',
  'e2e/events-crash', 'e2e/outage', 'e2e/videostream', 'e2e/push', 'e2e/crash-random', 'e2e/capture-hosts', 'sources/feeds/native/still', 'capture/probe', 'promises/torn-append', 'e2e/crash-again', 'demo/camera', 'commands/demo', 'commands/replay', 'sources/contract',
  'e2e/crash-restart', 'e2e/page', 'inference/lane', 'store/evidence', 'load/on-disk', 'load/overload', 'runner/harness', 'runtimes/node',
  'models-builtin/motion-decoder', 'lib/jpeg-encoder', 'models-builtin/motion', 'pipeline/pipeline', 'e2e/lost-folder', 'inference/lanes',
  'models/weights', 'lib/lock-contention', 'http/proxy', 'e2e/syncs', 'sources/video',
].map((name) => `test/${name}.test.ts`);

/** Those that change what all of a process shares: its environment, its clock, its modules. */
const ALONE = [
  'commands/demo', 'http/page-live', 'inference/lanes', 'load/*', 'models-builtin/motion-decoder', 'runtimes/*', 'sources/file', 'sources/network/rebinding', 'sources/own-clock',
].map((name) => `test/${name}.test.ts`);

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const index = LONGEST.findIndex((name) => moduleId.endsWith(`/${name}`));
      return index === -1 ? LONGEST.length : index;
    };
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}

export default defineConfig({
  test: {
    // A process for each of the others would take as long as many of their tests: those leave nothing behind that the next could meet.
    projects: [
      { extends: true, test: { name: 'alone', include: ALONE } },
      { extends: true, test: { name: 'together', include: ['test/**/*.test.ts'], exclude: ALONE, isolate: false, globalSetup: 'test/helpers/environments.ts' } },
    ],
    reporters: [['default', { summary: false }], './test/helpers/closing-line.ts'],
    sequence: { sequencer: LongestFirst },
    // Debian's, which the set-up has seen to: another `python3` may be before it, or a shim that takes half a second to find one.
    env: { LOOKOUT_PYTHON: '/usr/bin/python3' },
    // What waits for cameras and children beside four others may be late once; the closing lines name it. Nothing that measures, and no crash test, is asked again.
    retry: process.env['LOOKOUT_FIGURES'] === undefined ? 1 : 0,
    // What is promised has deadlines of its own: this is for what hangs.
    testTimeout: 120_000,
    hookTimeout: 60_000,
    // Most tests wait for real cameras and children: on two cores, so many fill the waits without being late.
    maxWorkers: Number(process.env['LOOKOUT_TEST_WORKERS'] ?? 4),
  },
});
