import { bundlePage } from '../../../../docker/bundle/bundle-page.ts';

/** Puts the pages' own files into a folder: `node src/browser/build.ts FOLDER` */
export function buildPage(folder: string): Promise<void> {
  return bundlePage(
    {
      source: import.meta.dirname,
      entryPoints: ['page.ts', 'page.css'],
      copied: ['icon.svg'],
      target: ['chrome123', 'firefox120', 'safari17.5'],
    },
    folder,
  );
}

if (import.meta.main) {
  const [, , folder = 'dist/page'] = process.argv;
  await buildPage(folder);
}
