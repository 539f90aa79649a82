import { ApiError } from '../errors.ts';
import { Collection } from '../store/collection.ts';
import type { Database } from '../store/database.ts';
import type { TaskDefinition } from './task-definition.ts';

export interface TaskGroup {
  taskGroupId: string;
  schedulerId: string;
  expires: string;
  /** When it was closed for new tasks. */
  sealed?: string;
}

/** Which tasks belong together. A group exists as soon as its first task does. */
export class TaskGroups {
  readonly #groups: Collection<TaskGroup>;
  /** Keys are `<taskGroupId>/<taskId>`. */
  readonly members: Collection<string>;

  constructor(database: Database) {
    this.#groups = new Collection(database, 'task-group');
    this.members = new Collection(database, 'task-group-member');
  }

  /** Throws ResourceNotFound. */
  get(taskGroupId: string): TaskGroup {
    const group = this.#groups.get(taskGroupId);
    if (!group) throw new ApiError('ResourceNotFound', `No task-group with taskGroupId \`${taskGroupId}\``);
    return group;
  }

  taskIds(taskGroupId: string): string[] {
    return this.members.values({ prefix: `${taskGroupId}/` });
  }

  /** Throws RequestConflict when the group is sealed or belongs to another scheduler. */
  join(taskId: string, { taskGroupId, schedulerId, expires }: TaskDefinition): void {
    const group = this.#groups.get(taskGroupId) ?? { taskGroupId, schedulerId, expires };
    if (group.schedulerId !== schedulerId) {
      throw new ApiError(
        'RequestConflict',
        `Task group \`${taskGroupId}\` contains tasks with schedulerId \`${group.schedulerId}\`, not \`${schedulerId}\``,
      );
    }
    if (group.sealed !== undefined) {
      throw new ApiError('RequestConflict', `Task group \`${taskGroupId}\` is sealed, no task can be added`);
    }
    this.#groups.put(taskGroupId, { ...group, expires: expires > group.expires ? expires : group.expires });
    this.members.put(`${taskGroupId}/${taskId}`, taskId);
  }

  seal(taskGroupId: string): TaskGroup {
    const group = this.get(taskGroupId);
    const sealed = { ...group, sealed: group.sealed ?? new Date().toJSON() };
    this.#groups.put(taskGroupId, sealed);
    return sealed;
  }
}
