import type { Resolution } from './resolution.ts';

/** How a run ended. Its two parts cannot disagree: {@link outcomeOf} alone makes them. */
export interface Outcome {
  readonly resolution: Resolution;
  /** 0 of a completed run and of no other; else the task's own, or -1 when that is not the reason. */
  readonly exitCode: number;
}

export function outcomeOf(resolution: Resolution, exitCode = -1): Outcome {
  return { resolution, exitCode: resolution.kind === 'completed' ? 0 : exitCode || -1 };
}
