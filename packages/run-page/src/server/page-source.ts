import type { Readable } from 'node:stream';
import type { GroupSummary, GroupView, RunView, TaskAction, WorkerView } from '../views/page-views.ts';

/** A log that lies in a file, and may still grow. Of each log there is one object, for as long as there is the log. */
export interface PageLog {
  readonly path: string;
  readonly bytes: number;
  /** Whether it has its last byte. */
  readonly ended: boolean;
  /** Calls `listener` when it has grown or ended, until the returned function is called. */
  onGrowth(listener: () => void): () => void;
}

export interface OpenArtifact {
  contentType: string;
  /** Only `gzip` is passed on. */
  contentEncoding?: string;
  contentLength: number;
  stream: Readable;
}

/** What the pages are of: a queue with its tasks, or a worker with its runs. */
export interface PageSource {
  /** Tells that something is other than it was, until the returned function is called. */
  onChange(listener: () => void): () => void;
  /** A task's run; by default its latest, if it has one. */
  run(taskId: string, runId?: number): Promise<RunView | undefined>;
  log(taskId: string, runId: number): Promise<PageLog | undefined>;
  artifact?(taskId: string, runId: number, name: string): Promise<OpenArtifact | undefined>;
  group?(groupId: string): Promise<GroupView | undefined>;
  groups?(): Promise<GroupSummary[]>;
  worker?(): Promise<WorkerView>;
  /** Only where whoever sees the page may do so. Rejects with what the person is to be told. */
  act?(taskId: string, action: TaskAction): Promise<void>;
}
