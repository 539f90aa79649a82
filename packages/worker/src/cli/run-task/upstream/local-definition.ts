/** What an embedded Taskcluster and a local worker know how to give; other scopes are for services that are not here. */
const honoured = /^(?:assume|auth|docker-worker|index|object|purge-cache|queue|secrets|worker-manager):|^\*$/;

/**
 * A deployment's definition of a task as it can be had here, and what was left out of it: routes, which lead to nobody, and scopes of
 * services that are not here.
 */
export function localDefinition({
  routes = [],
  scopes = [],
  ...task
}: { routes?: string[]; scopes?: string[] } & Record<string, unknown>): {
  task: Record<string, unknown>;
  notices: string[];
} {
  const kept = scopes.filter((scope) => honoured.test(scope));
  const dropped = scopes.filter((scope) => !honoured.test(scope));
  return {
    task: { ...task, scopes: kept },
    notices: [
      ...(routes.length > 0
        ? [`runs without its routes, which lead nowhere here: ${routes.join(', ')}`]
        : []),
      ...(dropped.length > 0
        ? [`runs without its scopes of services that are not here: ${dropped.join(', ')}`]
        : []),
    ],
  };
}
