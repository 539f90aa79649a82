import type { Alarms } from '../alarms.ts';
import type { Clients } from '../auth/clients.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import type { ObjectStore } from '../blobs/object-store.ts';
import { newSlugid } from '../slugid.ts';
import type { Database } from '../store/database.ts';
import { Artifacts } from './artifacts.ts';
import { Changes } from './changes.ts';
import { Claims } from './claims.ts';
import { Dependencies } from './dependencies.ts';
import { PendingTasks } from './pending-tasks.ts';
import { QueueWorkers } from './queue-workers.ts';
import { TaskGroups } from './task-groups.ts';
import { TaskLifecycle } from './task-lifecycle.ts';

export interface QueueOptions {
  database: Database;
  alarms: Alarms;
  clients: Clients;
  blobs: BlobStore;
  objects: ObjectStore;
  claimSeconds: number;
  longPollSeconds: number;
  /** Whether workers are given the tasks of all task queues. */
  oneQueue: boolean;
  /** Aborted when the server stops. */
  closing: AbortSignal;
}

/** The parts of the queue service, which its endpoints share. */
export type Queue = ReturnType<typeof createQueue>;

export function createQueue({ database, alarms, clients, blobs, objects, ...options }: QueueOptions) {
  const changes = new Changes(database);
  const pending = new PendingTasks(options.oneQueue);
  const lifecycle = new TaskLifecycle({ database, alarms, pending, changes });
  const workers = new QueueWorkers(database);
  const signer = clients.ensureStatic('static/taskcluster/queue', ['*']);
  return {
    database,
    changes,
    blobs,
    objects,
    signer,
    pending,
    lifecycle,
    workers,
    groups: new TaskGroups(database),
    dependencies: new Dependencies(database, lifecycle),
    claims: new Claims({ database, lifecycle, pending, workers, signer, claimSeconds: options.claimSeconds }),
    artifacts: new Artifacts(database, changes, { blobId: () => blobs.newId(), uploadId: newSlugid }),
    longPollMs: Math.ceil(options.longPollSeconds * 1000),
    closing: options.closing,
  };
}
