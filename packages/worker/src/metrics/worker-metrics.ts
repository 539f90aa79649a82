import { Counter, Histogram, Registry } from 'prom-client';

const buckets = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14_400];

/** What Prometheus can ask a worker for. Labels have few values, so that tasks cannot grow them. */
export class WorkerMetrics {
  readonly registry = new Registry();
  readonly #here = { registers: [this.registry] };

  readonly runs = new Counter({
    name: 'docker_worker_runs_total',
    help: 'Runs that have ended, by how.',
    labelNames: ['resolution'],
    ...this.#here,
  });
  readonly runSeconds = new Histogram({
    name: 'docker_worker_run_seconds',
    help: 'From the claim of a run to its resolution.',
    buckets,
    ...this.#here,
  });
  readonly startSeconds = new Histogram({
    name: 'docker_worker_start_seconds',
    help: 'From the claim of a run to the start of its container.',
    buckets,
    ...this.#here,
  });
  readonly busySeconds = new Counter({
    name: 'docker_worker_busy_seconds_total',
    help: 'Time that slots were taken by runs which have ended.',
    ...this.#here,
  });
  readonly features = new Counter({
    name: 'docker_worker_features_total',
    help: 'Runs that used a feature, by its name.',
    labelNames: ['feature'],
    ...this.#here,
  });
  readonly imageSeconds = new Histogram({
    name: 'docker_worker_image_seconds',
    help: 'How long tasks waited for their image, also for one that was on the host.',
    buckets,
    ...this.#here,
  });
  readonly imageFailures = new Counter({
    name: 'docker_worker_image_failures_total',
    help: 'Tasks that did not get their image.',
    ...this.#here,
  });
  readonly claimErrors = new Counter({
    name: 'docker_worker_claim_errors_total',
    help: 'Calls to claim work that failed.',
    ...this.#here,
  });
  readonly reclaims = new Counter({
    name: 'docker_worker_reclaims_total',
    help: 'Renewals of claims, by outcome: renewed or failed.',
    labelNames: ['outcome'],
    ...this.#here,
  });
  readonly caches = new Counter({
    name: 'docker_worker_cache_events_total',
    help: 'What happened to caches: hit, a task got a used one; miss, it got a new one; purge, one was thrown away.',
    labelNames: ['event'],
    ...this.#here,
  });
  readonly removed = new Counter({
    name: 'docker_worker_removed_total',
    help: 'What was removed from the host because nobody used it, by kind: image or cache.',
    labelNames: ['kind'],
    ...this.#here,
  });
  readonly artifacts = new Counter({
    name: 'docker_worker_artifacts_total',
    help: 'Files that were uploaded as artifacts.',
    ...this.#here,
  });
  readonly artifactBytes = new Counter({
    name: 'docker_worker_artifact_bytes_total',
    help: 'Bytes of those files before compression.',
    ...this.#here,
  });
  readonly artifactSeconds = new Histogram({
    name: 'docker_worker_artifact_seconds',
    help: 'How long the upload of each of those files took.',
    buckets,
    ...this.#here,
  });
  readonly artifactRetries = new Counter({
    name: 'docker_worker_artifact_retries_total',
    help: 'Uploads that failed and were tried again, those of logs included.',
    ...this.#here,
  });
  readonly overdueRuns = new Counter({
    name: 'docker_worker_overdue_runs_total',
    help: 'Aborted runs whose container did not exit within a minute.',
    ...this.#here,
  });
  readonly diskRefusals = new Counter({
    name: 'docker_worker_disk_refusals_total',
    help: 'Times that no work was claimed for lack of disk.',
    ...this.#here,
  });
}
