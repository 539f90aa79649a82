import { isEngineLost } from '../engine/engine-lost.ts';
import { RunFailure } from './resolution.ts';

/** What the task cannot help: another run of it may fare better, so the queue makes one. */
export function hostFault(message: string, cause?: unknown): RunFailure {
  return new RunFailure({ kind: 'exception', reason: 'worker-shutdown' }, message, { cause });
}

/** Errors of the host in the engine's words: it tells them with the same statuses as those of a task. */
const hostWords =
  /no space left on device|disk quota exceeded|too many open files|read-only file system|input\/output error|cannot allocate memory|layer does not exist|shutting down/i;

/**
 * Whether an error is the host's: a system call or a connection that failed, an engine that is lost, or one
 * that says so. What an engine answers otherwise is about what the task asked for.
 */
export function isHostFault(error: unknown): boolean {
  if (isEngineLost(error) || (error instanceof AggregateError && error.errors.some(isHostFault))) {
    return true;
  }
  const {
    code,
    message = '',
    cause,
  } = (error ?? {}) as { code?: unknown; message?: string; cause?: unknown };
  const isSystemError = typeof code === 'string' && /^(E[A-Z0-9]+|UND_ERR_\w+)$/.test(code);
  return isSystemError || hostWords.test(message) || (cause !== undefined && isHostFault(cause));
}
