/**
 * The names under which the image of a task run is loaded: `task-<taskId>-<runId>:latest`, as the
 * documentation always had it, then the one that docker-worker really gave. Names of images are lower case
 * and have no two different separators side by side, which task ids may have.
 */
export function savedImageNames(taskId: string, runId: number): [documented: string, former: string] {
  const id = taskId.toLowerCase();
  return [
    `task-${id.replaceAll('_', '-')}-${runId}:latest`,
    `${id.replaceAll(/[_-]/g, '0')}-${runId}:latest`,
  ];
}
