/** Beginnings of scopes, the longer ones first; `$` stands for the rest of the scope. */
const meanings: [start: string, meaning: string][] = [
  ['docker-worker:cache:', 'keep the folder “$” on the worker between tasks'],
  ['docker-worker:capability:device:', 'use the host’s device $'],
  ['docker-worker:capability:privileged', 'run privileged: as root of the host, in effect'],
  ['docker-worker:capability:', 'use the host’s $'],
  ['docker-worker:feature:', 'use the feature $'],
  ['docker-worker:relengapi-proxy:', 'call RelengAPI with the permission $'],
  ['docker-worker:image:', 'run in the image $'],
  ['secrets:get:', 'read the secret $'],
  ['secrets:set:', 'write the secret $'],
  ['queue:create-task:', 'create tasks: $'],
  ['queue:scheduler-id:', 'create tasks of the scheduler $'],
  ['queue:route:', 'have tasks announced at the route $'],
  ['queue:rerun-task:', 'run tasks again: $'],
  ['queue:cancel-task:', 'cancel tasks: $'],
  ['queue:get-artifact:', 'read the artifact $'],
  ['index:insert-task:', 'be found in the index as $'],
  ['index:find-task:', 'find tasks in the index: $'],
  ['object:', 'work with stored objects: $'],
  ['purge-cache:', 'have caches thrown away: $'],
  ['worker-manager:', 'work with worker pools: $'],
  ['auth:', 'work with clients, roles and credentials: $'],
  ['generic-worker:', 'use of a generic-worker: $'],
  ['notify:', 'send messages to people: $'],
  ['hooks:', 'work with hooks: $'],
  ['assume:', 'do all that the role $ may'],
];

/** What a scope lets its task do. */
export function scopeMeaning(scope: string): string {
  if (scope === '*') {
    return 'do everything: no scope is missing';
  }
  const isOpen = scope.endsWith('*');
  const bare = isOpen ? scope.slice(0, -1) : scope;
  const found = meanings.find(([start]) => bare.startsWith(start));
  if (found === undefined) {
    const [service = scope] = bare.split(':');
    return isOpen
      ? `all of “${service}” that begins with this`
      : `what “${service}” lets those do who have this scope`;
  }
  const [start, meaning] = found;
  const rest = bare.slice(start.length);
  return meaning.replace('$', () =>
    isOpen ? (rest === '' ? '(any)' : `${rest}… (any that begins so)`) : rest,
  );
}
