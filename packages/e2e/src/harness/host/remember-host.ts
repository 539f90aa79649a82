import { dockerWorker } from '../command.ts';
import { hostContents, workerContents } from './host-contents.ts';

declare global {
  var hostBeforeTests: string[];
  var workersBeforeTests: string[];
}

/** Of a suite that was killed before this one, whatever it had made is still there. */
// biome-ignore lint/style/noDefaultExport: jest calls the default export
export default async function rememberHost(): Promise<void> {
  await dockerWorker('sweep');
  [globalThis.hostBeforeTests, globalThis.workersBeforeTests] = await Promise.all([
    hostContents(),
    workerContents(),
  ]);
}
