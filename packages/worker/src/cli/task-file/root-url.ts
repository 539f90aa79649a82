/** Stands for the root URL of the embedded Taskcluster, which is known only once that runs. */
export const rootUrlStandIn = 'http://root-url.invalid';

/** A definition with the root URL where the stand-in was. */
export function withRootUrl<Definition extends object>(definition: Definition, rootUrl: string): Definition {
  return JSON.parse(JSON.stringify(definition).replaceAll(rootUrlStandIn, rootUrl));
}
