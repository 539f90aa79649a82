import { preset } from '../../jest.preset.mjs';

// biome-ignore lint/style/noDefaultExport: jest reads the default export
export default preset;
