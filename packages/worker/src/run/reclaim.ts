import { EventEmitter } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import type { Credentials } from '@docker-worker/service-kit/control';
import { Reclaim } from '../queue/queue.ts';
import type { Run } from './run.ts';

/** A failed renewal is tried again until the claim has only this long to live. */
const giveUpBeforeMs = 60_000;
const firstRetryMs = 1_000;
const longestRetryMs = 30_000;

export interface Reclaiming extends AsyncDisposable {
  /** Calls back with the new credentials after every renewal. */
  onCredentials(listener: (credentials: Credentials) => void): void;
}

/**
 * Keeps a run's claim alive: renews it after half of its time (configurable) and aborts the run when the
 * queue says that it is no longer ours, or when the claim lapses because the queue cannot be reached.
 * Disposing stops it and waits for a renewal under way.
 */
export function startReclaiming(run: Run, takenUntil: string, divisor: number): Reclaiming {
  const renewed = new EventEmitter<{ credentials: [Credentials] }>();
  const stopping = new AbortController();
  const { signal } = stopping;
  const loop = renewForEver().catch((error: Error) => {
    if (!signal.aborted) {
      run.abort({ kind: 'internal-error', message: error.message });
    }
  });
  return {
    onCredentials: (listener) => void renewed.on('credentials', listener),
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await loop;
    },
  };

  async function renewForEver(): Promise<void> {
    for (let until = Date.parse(takenUntil); ; ) {
      await setTimeout(Math.max(0, until - Date.now()) / divisor, undefined, { signal, ref: false });
      const claim = await renew(until);
      if (claim === undefined) {
        return;
      }
      until = Date.parse(claim.takenUntil);
      run.credentials = claim.credentials;
      run.logger.info({ takenUntil: claim.takenUntil }, 'reclaimed task');
      renewed.emit('credentials', claim.credentials);
    }
  }

  /** Returns nothing once the run is aborted or reclaiming has stopped. */
  async function renew(until: number): Promise<Reclaim | undefined> {
    for (let delay = firstRetryMs; !signal.aborted; delay = Math.min(delay * 2, longestRetryMs)) {
      try {
        run.logger.info('reclaiming task');
        const claim = Reclaim.parse(await run.queue().reclaimTask(run.taskId, run.runId));
        return signal.aborted ? undefined : claim;
      } catch (error) {
        if (signal.aborted) {
          return undefined;
        }
        run.logger.warn({ err: error }, 'error reclaiming task');
        if ((error as { statusCode?: number }).statusCode === 409) {
          run.logger.info('cancel task');
          run.abort({ kind: 'canceled' });
          return undefined;
        }
        if (Date.now() + delay > until - giveUpBeforeMs) {
          run.abort({ kind: 'internal-error', message: 'the claim could not be renewed' });
          return undefined;
        }
        // Jitter, so that workers which lost the queue together do not come back together.
        await setTimeout(delay * (0.5 + Math.random()), undefined, { signal, ref: false });
      }
    }
    return undefined;
  }
}
