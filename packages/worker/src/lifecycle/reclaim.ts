import { EventEmitter } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import type { Credentials } from '@docker-worker/service-kit/control';
import { cuttableCall } from '../queue/cuttable-call.ts';
import { Reclaim } from '../queue/queue.ts';
import { isForeign } from '../queue/until-answered.ts';
import type { Run } from '../run/run.ts';

const firstRetryMs = 1_000;
const longestRetryMs = 30_000;
/** Of what is left of the claim, so that a queue which comes back late is still asked in time. */
const retryShare = 1 / 8;
const shortestRetryMs = 200;
/** An attempt without an answer is given up after its share of what is left. */
const attemptShare = 1 / 4;
const longestAttemptMs = 30_000;
const shortestAttemptMs = 1_000;
/** Keeps a machine whose clock is ahead from asking without a pause. */
const shortestWaitMs = 100;

export interface Reclaiming extends AsyncDisposable {
  /** Calls back with the new credentials after every renewal. */
  onCredentials(listener: (credentials: Credentials) => void): void;
}

/**
 * Keeps a run's claim alive: renews it after half of its time (configurable) and aborts the run when the
 * queue says that it is no longer ours, or when the claim lapses because the queue could not be reached.
 * Disposing stops it at once; a renewal under way is cut.
 */
export function startReclaiming(run: Run, takenUntil: string, divisor: number): Reclaiming {
  const renewed = new EventEmitter<{ credentials: [Credentials] }>();
  const stopping = new AbortController();
  const { signal } = stopping;
  const loop = renewForEver().catch((error: Error) => {
    if (!signal.aborted) {
      run.abort({ kind: 'host-fault', message: error.message });
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
      const claim = await renew(until);
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

  /** Tries until it succeeds; returns nothing once the run has been aborted. The claim lapses at `until`. */
  async function renew(until: number): Promise<Reclaim | undefined> {
    for (let delay = firstRetryMs; ; delay = Math.min(delay * 2, longestRetryMs)) {
      try {
        return await attempt(until - Date.now());
      } catch (error) {
        signal.throwIfAborted();
        run.logger.warn({ err: error }, 'error reclaiming task');
        run.host.metrics?.reclaims.inc({ outcome: 'failed' });
        if ((error as { statusCode?: number }).statusCode === 409 && !isForeign(error)) {
          run.logger.info('cancel task');
          run.abort({ kind: 'canceled' });
          return undefined;
        }
        const remaining = until - Date.now();
        const wait = Math.max(shortestRetryMs, Math.min(delay, remaining * retryShare));
        // Jitter, so that workers which lost the queue together do not come back together.
        await pause(Math.min(Math.max(0, remaining), wait * (0.5 + Math.random())));
        if (Date.now() >= until) {
          run.abort({ kind: 'claim-lapsed' });
          return undefined;
        }
      }
    }
  }

  async function attempt(remaining: number): Promise<Reclaim> {
    run.logger.info('reclaiming task');
    const { rootUrl } = run.host.config;
    const share = Math.min(longestAttemptMs, Math.max(shortestAttemptMs, remaining * attemptShare));
    const timeoutMs = Math.max(1, Math.min(share, remaining));
    const answer = await cuttableCall({ rootUrl, credentials: run.credentials, timeoutMs }, signal, (queue) =>
      queue.reclaimTask(run.taskId, run.runId),
    );
    return Reclaim.parse(answer);
  }

  function pause(ms: number): Promise<void> {
    return setTimeout(ms, undefined, { signal, ref: false });
  }
}
