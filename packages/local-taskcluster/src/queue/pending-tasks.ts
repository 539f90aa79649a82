import { PRIORITIES, type Priority } from './task-definition.ts';

/** Called at once when a task is pending; takes what it wants of the queue. */
type Taker = () => void;

interface TaskQueue {
  /** TaskIds by priority, most urgent first; within one in the order they came. */
  byPriority: Record<Priority, Set<string>>;
  /** Long polls, in the order they came. */
  takers: Set<Taker>;
}

/** Which tasks wait for a worker, and which workers wait for a task. In memory: it is derived from the tasks. */
export class PendingTasks {
  readonly #queues = new Map<string, TaskQueue>();
  readonly #isOne: boolean;

  /** @param isOne whether all task queues are one */
  constructor(isOne = false) {
    this.#isOne = isOne;
  }

  add(taskQueueId: string, taskId: string, priority: Priority): void {
    const queue = this.#queue(taskQueueId);
    queue.byPriority[priority].add(taskId);
    for (const taker of queue.takers) {
      if (this.count(taskQueueId) === 0) return;
      taker();
    }
  }

  remove(taskQueueId: string, taskId: string): void {
    for (const taskIds of Object.values(this.#queue(taskQueueId).byPriority)) taskIds.delete(taskId);
  }

  count(taskQueueId: string): number {
    return PRIORITIES.reduce((sum, priority) => sum + this.#queue(taskQueueId).byPriority[priority].size, 0);
  }

  /** The most urgent task, which is then no longer pending here. */
  shift(taskQueueId: string): string | undefined {
    const { byPriority } = this.#queue(taskQueueId);
    for (const priority of PRIORITIES) {
      const [taskId] = byPriority[priority];
      if (taskId !== undefined) {
        byPriority[priority].delete(taskId);
        return taskId;
      }
    }
    return undefined;
  }

  /**
   * Calls `take` until it returns something: now, and again in the very moment a task becomes pending.
   * Resolves to nothing when the signal is aborted first; after that `take` is not called any more.
   */
  takeWhenPending<T>(taskQueueId: string, take: () => T[], signal: AbortSignal): Promise<T[]> {
    const { promise, resolve, reject } = Promise.withResolvers<T[]>();
    const { takers } = this.#queue(taskQueueId);
    const end = (taken: T[]) => {
      takers.delete(taker);
      signal.removeEventListener('abort', giveUp);
      resolve(taken);
    };
    const giveUp = () => end([]);
    const taker = () => {
      try {
        const taken = take();
        if (taken.length > 0) end(taken);
      } catch (error) {
        reject(error);
        end([]);
      }
    };
    takers.add(taker);
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) giveUp();
    else taker();
    return promise;
  }

  #queue(name: string): TaskQueue {
    const taskQueueId = this.#isOne ? '' : name;
    let queue = this.#queues.get(taskQueueId);
    if (!queue) {
      const byPriority = Object.fromEntries(PRIORITIES.map((priority) => [priority, new Set<string>()]));
      queue = { byPriority: byPriority as TaskQueue['byPriority'], takers: new Set() };
      this.#queues.set(taskQueueId, queue);
    }
    return queue;
  }
}
