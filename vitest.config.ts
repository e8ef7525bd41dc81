import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * The files of more than ten seconds, about by the time they took when last measured: none is left for the end, where it
 * would run alone. Those that keep a processor busy stand among those that wait for cameras and clocks.
 */
const LONGEST = [
  'e2e/real-video', 'runtimes/python', 'sources/odd-camera-ffmpeg', 'http/page-many', 'runtimes/python-installers', 'sources/odd-camera',
  'http/page-live', 'e2e/live', 'e2e/events-crash', 'e2e/outage', 'e2e/crash-errors', 'e2e/crash-injected', 'sources/file', 'http/page',
  'sources/http', 'e2e/faults', 'demo/camera', 'http/page-events', 'load/overload', 'followers/postgres', 'sources/freshness', 'e2e/crash-again',
  'inference/lane', 'sources/capture', 'sources/contract', 'commands/exit-codes', 'capture/probe', 'e2e/push', 'models-builtin/motion-decoder',
  'sources/own-clock', 'e2e/crash-random', 'e2e/page', 'e2e/capture-hosts', 'e2e/event-clips', 'promises/dead-cameras', 'commands/models',
  'sources/push', 'following/courier', 'commands/runner-user', 'pipeline/pipeline', 'e2e/main-road', 'e2e/videostream', 'models-builtin/motion',
  'commands/demo', 'runtimes/node', 'inference/lanes', 'load/on-disk', 'e2e/disk-full', 'sources/feeds/native/still', 'store/evidence',
  'promises/interference', 'log/crash', 'promises/conditions', 'runner/harness', 'sources/rtsp/client', 'e2e/crash-restart', 'models/weights',
  'runner/start', 'sources/late-reader', 'sources/network/rebinding', 'lib/jpeg-encoder', 'sources/video', 'events/random', 'commands/replay', 'lib/names',
].map((name) => `test/${name}.test.ts`);

/** Those that change, or count, what all of a process shares: its environment, its clock, its modules, its descriptors. */
const ALONE = [
  'commands/demo', 'http/page-live', 'inference/lanes', 'load/*', 'models-builtin/motion-decoder', 'runtimes/*', 'sources/file', 'sources/network/rebinding', 'sources/own-clock', 'sources/reconnects',
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
