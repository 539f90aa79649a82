import { preset } from '../../jest.preset.mjs';

// biome-ignore lint/style/noDefaultExport: jest reads the default export
export default {
  ...preset,
  // On a busy machine a listener of a finished test has been seen to keep the process alive.
  forceExit: true,
};
