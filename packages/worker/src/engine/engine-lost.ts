import type { Engine } from './engine.ts';

/** The engine went away under a worker; everything that was under way on it is in doubt. */
export class EngineLost extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'EngineLost';
  }
}

/** Whether it is one, or was caused by one, or came up beside one. */
export function isEngineLost(error: unknown): boolean {
  if (error instanceof EngineLost) {
    return true;
  }
  if (error instanceof SuppressedError) {
    return isEngineLost(error.error) || isEngineLost(error.suppressed);
  }
  if (error instanceof AggregateError && error.errors.some(isEngineLost)) {
    return true;
  }
  return error instanceof Error && error.cause !== undefined && isEngineLost(error.cause);
}

/**
 * What was on an engine that is lost is swept when that is back: not to be able to remove it is no error. An engine
 * that goes away cuts its connections before anybody knows that it does.
 */
export async function removedOrLost(
  { docker, lost }: Pick<Engine, 'docker' | 'lost'>,
  remove: () => PromiseLike<void>,
): Promise<void> {
  try {
    await remove();
  } catch (error) {
    if (lost.aborted || isEngineLost(error)) {
      return;
    }
    if ((error as { statusCode?: number }).statusCode !== undefined) {
      throw error;
    }
    const answers = await docker.ping().then(
      () => true,
      () => false,
    );
    if (answers) {
      await remove();
    }
  }
}
