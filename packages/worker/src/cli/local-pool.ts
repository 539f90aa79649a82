/** The pool that `run-task` creates its tasks in; the embedded Taskcluster has no other. */
export const localPool = { provisionerId: 'local', workerType: 'run-task' } as const;
