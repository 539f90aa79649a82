import { z } from 'zod';
import { type JsonObject, jsonObject } from '../fields.ts';
import type { TaskLifecycle } from '../queue/task-lifecycle.ts';
import { stateOf, type TaskRecord } from '../queue/task-record.ts';
import { Collection, type Entry } from '../store/collection.ts';
import type { Database } from '../store/database.ts';

export interface IndexedTask {
  namespace: string;
  taskId: string;
  rank: number;
  data: JsonObject;
  expires: string;
}

export interface Namespace {
  namespace: string;
  name: string;
  expires: string;
}

const ROUTE_PREFIX = 'index.';

/** `task.extra.index`, which says how a completed task goes into the index. */
const indexExtra = z.object({
  rank: z.number().catch(0),
  expires: z.iso.datetime({ offset: true }).optional().catch(undefined),
  data: jsonObject.catch({}),
});

/** The newest task of each name, with dots between the parts of a name. */
export class IndexedTasks {
  readonly #tasks: Collection<IndexedTask>;

  constructor(database: Database, lifecycle: TaskLifecycle) {
    this.#tasks = new Collection(database, 'indexed-task');
    lifecycle.onResolved((record) => this.#indexByRoutes(record));
  }

  /** Undefined when there is none or it has expired. */
  find(namespace: string): IndexedTask | undefined {
    const task = this.#tasks.get(namespace);
    return task && isCurrent(task) ? task : undefined;
  }

  /** Keeps what is there if it has a higher rank. Returns what is there afterwards. */
  insert(task: IndexedTask): IndexedTask {
    const existing = this.#tasks.get(task.namespace);
    if (existing && existing.rank > task.rank) return existing;
    this.#tasks.put(task.namespace, task);
    return task;
  }

  delete(namespace: string): void {
    this.#tasks.delete(namespace);
  }

  /** Tasks directly in a namespace. */
  tasksIn(parent: string): Entry<IndexedTask>[] {
    return this.#below(parent).filter(({ key }) => !rest(key, parent).includes('.'));
  }

  /** Namespaces directly in a namespace. */
  namespacesIn(parent: string): Entry<Namespace>[] {
    const found = new Map<string, Namespace>();
    for (const { key, value } of this.#below(parent)) {
      const [name = '', ...deeper] = rest(key, parent).split('.');
      if (deeper.length === 0) continue;
      const known = found.get(name);
      const namespace = parent ? `${parent}.${name}` : name;
      const expires = known && known.expires > value.expires ? known.expires : value.expires;
      found.set(name, { namespace, name, expires });
    }
    // The order of names is not that of whole namespaces: `-` comes before `.`.
    const names = [...found.keys()].sort();
    return names.map((key) => ({ key, value: found.get(key) as Namespace }));
  }

  #below(parent: string): Entry<IndexedTask>[] {
    const prefix = parent ? `${parent}.` : '';
    return this.#tasks.list({ prefix }).filter(({ value }) => isCurrent(value));
  }

  #indexByRoutes(record: TaskRecord): void {
    if (stateOf(record) !== 'completed') return;
    const { taskId, task } = record;
    const { rank, data, expires = task.expires } = indexExtra.parse(task.extra.index ?? {});
    for (const route of task.routes.filter((each) => each.startsWith(ROUTE_PREFIX))) {
      this.insert({ namespace: route.slice(ROUTE_PREFIX.length), taskId, rank, data, expires });
    }
  }
}

function isCurrent({ expires }: IndexedTask): boolean {
  return new Date(expires) > new Date();
}

function rest(namespace: string, parent: string): string {
  return parent ? namespace.slice(parent.length + 1) : namespace;
}
