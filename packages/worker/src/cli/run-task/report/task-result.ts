/** Parts of a task's time, in their order; what is not known of one that did not get there is left out. */
export const phases = ['waiting', 'image', 'sidecars', 'running', 'uploading'] as const;
export type Phase = (typeof phases)[number];

/** What became of a task, for tables and reports. */
export interface TaskResult {
  name: string;
  taskId: string;
  /** As in `completed`, `failed`, `malformed-payload`, `cancelled`; `skipped` for one that never ran for want of another. */
  result: string;
  /** That the task stands for; none of one that was skipped. */
  exitCode: number | undefined;
  /** Why it was skipped. */
  reason?: string;
  /** Seconds by phase. */
  seconds: Partial<Record<Phase, number>>;
  /** Names of the artifacts that it has left. */
  artifacts: string[];
}

export function totalSeconds({ seconds }: TaskResult): number {
  return Object.values(seconds).reduce((sum, part) => sum + part, 0);
}
