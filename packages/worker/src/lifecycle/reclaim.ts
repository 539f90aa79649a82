import { EventEmitter } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import type { Credentials } from '@docker-worker/service-kit/control';
import { cuttableCall } from '../queue/cuttable-call.ts';
import { Reclaim } from '../queue/queue.ts';
import type { Run } from '../run/run.ts';

/** A renewal must succeed this long before the claim lapses, or a quarter of a shorter claim before. */
const longestMarginMs = 60_000;
const longestAttemptMs = 30_000;
const firstRetryMs = 1_000;
const longestRetryMs = 30_000;
/** Keeps a machine whose clock is ahead from asking without a pause. */
const shortestWaitMs = 100;

export interface Reclaiming extends AsyncDisposable {
  /** Calls back with the new credentials after every renewal. */
  onCredentials(listener: (credentials: Credentials) => void): void;
}

/**
 * Keeps a run's claim alive: renews it after half of its time (configurable) and aborts the run when the
 * queue says that it is no longer ours, or when the claim is about to lapse because it cannot be renewed.
 * Disposing stops it at once; a renewal under way is cut.
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
      const remaining = until - Date.now();
      run.logger.info({ takenUntil: new Date(until), time: remaining / divisor }, 'next claim');
      await pause(Math.max(shortestWaitMs, remaining / divisor));
      const claim = await renew(until - Math.min(longestMarginMs, remaining / 4));
      if (claim === undefined) {
        return;
      }
      until = Date.parse(claim.takenUntil);
      run.host.metrics?.reclaims.inc({ outcome: 'renewed' });
      run.credentials = claim.credentials;
      run.logger.info({ takenUntil: claim.takenUntil }, 'reclaimed task');
      renewed.emit('credentials', claim.credentials);
    }
  }

  /** Tries until it succeeds; returns nothing once the run has been aborted. `deadline` is in epoch ms. */
  async function renew(deadline: number): Promise<Reclaim | undefined> {
    for (let delay = firstRetryMs; ; delay = Math.min(delay * 2, longestRetryMs)) {
      try {
        return await attempt(deadline);
      } catch (error) {
        signal.throwIfAborted();
        run.logger.warn({ err: error }, 'error reclaiming task');
        run.host.metrics?.reclaims.inc({ outcome: 'failed' });
        if ((error as { statusCode?: number }).statusCode === 409) {
          run.logger.info('cancel task');
          run.abort({ kind: 'canceled' });
          return undefined;
        }
        // Jitter, so that workers which lost the queue together do not come back together.
        const wait = delay * (0.5 + Math.random());
        if (Date.now() + wait > deadline) {
          run.abort({ kind: 'internal-error', message: 'the claim could not be renewed' });
          return undefined;
        }
        await pause(wait);
      }
    }
  }

  async function attempt(deadline: number): Promise<Reclaim> {
    run.logger.info('reclaiming task');
    const { rootUrl } = run.host.config;
    const timeoutMs = Math.max(firstRetryMs, Math.min(longestAttemptMs, deadline - Date.now()));
    const answer = await cuttableCall({ rootUrl, credentials: run.credentials, timeoutMs }, signal, (queue) =>
      queue.reclaimTask(run.taskId, run.runId),
    );
    return Reclaim.parse(answer);
  }

  function pause(ms: number): Promise<void> {
    return setTimeout(ms, undefined, { signal, ref: false });
  }
}
