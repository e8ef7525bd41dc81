/** Exits with 0 where pictures can be decoded and encoded here, else says in one line why not. */
import { selfTest } from '../native/self-test.ts';

try {
  await selfTest();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
