import { ApiError } from '../errors.ts';
import { Collection } from '../store/collection.ts';
import type { Database } from '../store/database.ts';
import type { TaskLifecycle } from './task-lifecycle.ts';
import { isResolved, stateOf, type TaskRecord } from './task-record.ts';

/** Schedules a task when those it depends on are resolved. */
export class Dependencies {
  /** Keys are `<required taskId>/<dependent taskId>`, values the dependent taskId. */
  readonly dependents: Collection<string>;
  readonly #lifecycle: TaskLifecycle;

  constructor(database: Database, lifecycle: TaskLifecycle) {
    this.dependents = new Collection(database, 'dependent');
    this.#lifecycle = lifecycle;
    lifecycle.onResolved((record) => this.#scheduleDependents(record.taskId));
  }

  /** Throws InputError unless every required task exists; a task may depend on itself, never to be scheduled. */
  track(record: TaskRecord): void {
    const { taskId, task } = record;
    const missing = task.dependencies.filter((id) => id !== taskId && !this.#lifecycle.find(id));
    if (missing.length > 0) {
      throw new ApiError(
        'InputError',
        `Task dependencies must exist before dependent tasks; missing: ${missing.join(', ')}`,
      );
    }
    for (const id of task.dependencies) this.dependents.put(`${id}/${taskId}`, taskId);
    if (this.#areSatisfied(record)) this.#lifecycle.addRun(record, 'scheduled');
  }

  #scheduleDependents(taskId: string): void {
    for (const dependent of this.dependents.values({ prefix: `${taskId}/` })) {
      const record = this.#lifecycle.find(dependent);
      if (record && stateOf(record) === 'unscheduled' && this.#areSatisfied(record)) {
        this.#lifecycle.addRun(record, 'scheduled');
      }
    }
  }

  #areSatisfied({ taskId, task }: TaskRecord): boolean {
    return task.dependencies.every((id) => {
      const required = id === taskId ? undefined : this.#lifecycle.find(id);
      if (!required) return false;
      return task.requires === 'all-resolved' ? isResolved(required) : stateOf(required) === 'completed';
    });
  }
}
