import { preset } from '../../jest.preset.mjs';

// biome-ignore lint/style/noDefaultExport: jest reads the default export
export default {
  ...preset,
  // One engine: a test that looks at what is left on it must be alone.
  maxWorkers: 1,
  // Within a file, tests that share nothing wait side by side.
  maxConcurrency: 3,
  testTimeout: 120_000,
  globalSetup: '<rootDir>/src/harness/remember-host.ts',
  globalTeardown: '<rootDir>/src/harness/compare-host.ts',
};
