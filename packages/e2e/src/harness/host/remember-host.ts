import { hostContents } from './host-contents.ts';

declare global {
  var hostBeforeTests: string[];
}

// biome-ignore lint/style/noDefaultExport: jest calls the default export
export default async function rememberHost(): Promise<void> {
  globalThis.hostBeforeTests = await hostContents();
}
