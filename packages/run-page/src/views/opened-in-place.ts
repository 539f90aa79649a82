import type { ArtifactView } from './page-views.ts';

/** More than that is for a program of its own. */
const mostBytes = 5_000_000;

/** What a browser shows of itself; all of it in a frame that may run nothing. */
export const shownTypes = /^(text\/|image\/|application\/(json|xml|x-yaml|yaml)\b)/i;

/** Whether an artifact is opened on the page. */
export function isOpenedInPlace({ contentType, bytes, elsewhere, error }: ArtifactView): boolean {
  return (
    elsewhere === undefined &&
    error === undefined &&
    bytes !== undefined &&
    bytes <= mostBytes &&
    shownTypes.test(contentType)
  );
}
