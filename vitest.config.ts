import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    reporters: [['default', { summary: false }], './test/helpers/closing-line.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Real child processes on two cores: more workers only make each other late.
    maxWorkers: 2,
  },
});
