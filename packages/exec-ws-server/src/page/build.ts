import { bundlePage } from '../../../../docker/bundle/bundle-page.ts';

/** Puts the page's files into a folder: `node src/page/build.ts FOLDER` */
export function buildPage(folder: string): Promise<void> {
  return bundlePage(
    {
      source: import.meta.dirname,
      entryPoints: ['shell.ts', 'shell.css'],
      copied: ['shell.html', 'icon.svg'],
      target: ['chrome110', 'firefox115', 'safari16'],
    },
    folder,
  );
}

if (import.meta.main) {
  const [, , folder = 'dist/assets'] = process.argv;
  await buildPage(folder);
}
