export type { OpenArtifact, PageLog, PageSource } from './server/page-source.ts';
export { type RunPagesOptions, runPages } from './server/run-pages.ts';
export { type ServedPages, serveRunPages } from './server/serve-run-pages.ts';
export type * from './views/page-views.ts';
