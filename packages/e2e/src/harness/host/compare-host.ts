import { hostContents } from './host-contents.ts';

/** The suite as a whole must leave the engine as it found it. */
// biome-ignore lint/style/noDefaultExport: jest calls the default export
export default async function compareHost(): Promise<void> {
  const before = new Set(globalThis.hostBeforeTests);
  const after = new Set(await hostContents());
  const left = [...after].filter((item) => !before.has(item));
  const workers = new Set(globalThis.workersBeforeTests);
  const gone = [...before].filter((item) => !after.has(item) && !workers.has(item));
  if (left.length + gone.length > 0) {
    throw new Error(
      `the tests changed the engine:\n left: ${left.join('\n       ')}\n gone: ${gone.join('\n       ')}`,
    );
  }
}
