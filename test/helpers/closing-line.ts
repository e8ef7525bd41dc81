/**
 * A reporter for the last line of a test run: `tests: 123 passed, 0 failed, 2 skipped`, and the names of what was skipped and of
 * what passed only when it was asked again, with why. What fails a run is counted as failed: tests, files, and errors that nothing caught.
 */
import type { Reporter, SerializedError, TestCase, TestModule } from 'vitest/node';

export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const inState = (state: string): TestCase[] => tests.filter((test) => test.result().state === state);
    const broken = modules.filter((module) => module.errors().length > 0).length;
    for (const test of inState('skipped')) console.log(`skipped: ${test.fullName}`);
    for (const test of tests.filter((one) => one.diagnostic()?.flaky)) console.log(`passed when asked again: ${test.fullName}: ${reasonOf(test)}`);
    const failed = inState('failed').length + broken + unhandled.length;
    console.log(`tests: ${inState('passed').length} passed, ${failed} failed, ${inState('skipped').length} skipped`);
  }
}

/** Of the first time, in a line. */
function reasonOf(test: TestCase): string {
  const [first] = test.result().errors ?? [];
  return (first?.message ?? 'no error was kept').split('\n', 1).join('').slice(0, 300);
}
