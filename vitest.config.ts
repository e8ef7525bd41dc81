import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    reporters: [['default', { summary: false }], './test/helpers/closing-line.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Most tests wait for real cameras and children: on two cores, three workers fill the waits without being late.
    maxWorkers: 3,
  },
});
