export type TaskState = 'unscheduled' | 'pending' | 'running' | 'completed' | 'failed' | 'exception';

/** A part of a run's time. Times are ISO 8601 texts. */
export interface Phase {
  name: 'waiting' | 'image' | 'sidecars' | 'running' | 'uploading';
  from: string;
  /** Not of the one that goes on. */
  until?: string;
  /** As in the size of an image. */
  note?: string;
}

export interface ArtifactView {
  name: string;
  contentType: string;
  /** `undefined` where nobody knows. */
  bytes?: number;
  /** Where it is when this server does not have it. */
  elsewhere?: string;
  /** In place of its content. */
  error?: string;
}

export type TaskAction = 'cancel' | 'rerun';

/** One run of a task, as people are shown it; of a task without a run, what is known of the task. */
export interface RunView {
  taskId: string;
  runId: number | undefined;
  /** Runs of the task that have pages, too. */
  otherRuns: number[];
  name: string;
  description: string;
  /** Of the group whose page there is. */
  groupId?: string;
  state: TaskState;
  /** Why it was resolved, in the words of the queue. */
  reason?: string;
  phases: Phase[];
  hasLog: boolean;
  artifacts: ArtifactView[];
  /** The page of a shell in its container. */
  shell?: string;
  scopes: string[];
  definition: object;
  actions: TaskAction[];
}

export interface GroupTask {
  taskId: string;
  /** Of its latest run. */
  runId: number | undefined;
  name: string;
  state: TaskState;
  reason?: string;
  dependencies: string[];
  /** When its latest run began and ended. */
  started?: string;
  resolved?: string;
  actions: TaskAction[];
}

export interface GroupView {
  groupId: string;
  tasks: GroupTask[];
}

export interface GroupSummary {
  groupId: string;
  /** Of its first task. */
  name: string;
  states: TaskState[];
}

export interface WorkerView {
  title: string;
  facts: [name: string, value: string][];
  slots: number;
  /** Slots that are taken; runs may be more, of which something is left. */
  busy: number;
  runs: WorkerRun[];
  /** Containers made ahead, for no run yet. */
  warm: ContainerView[];
  images: SizedView[];
  caches: SizedView[];
  problems: Problem[];
}

export interface WorkerRun {
  taskId: string;
  runId: number;
  name: string;
  phases: Phase[];
  /** What people can open while it runs, by name. */
  links: [name: string, address: string][];
  containers: ContainerView[];
}

export interface ContainerView {
  role: string;
  id: string;
  state: string;
}

export interface SizedView {
  name: string;
  bytes?: number;
  /** Whether there are more bytes, which nobody has counted. */
  hasMore?: boolean;
  lastUsed?: string;
}

export interface Problem {
  time: string;
  text: string;
}
