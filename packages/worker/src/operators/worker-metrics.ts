import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { type Observed, workerStatus } from './worker-status.ts';

const buckets = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14_400];

/** What Prometheus can ask a worker for. Labels have few values, so that tasks cannot grow them. */
export class WorkerMetrics {
  readonly registry = new Registry();
  readonly #registers = [this.registry];

  readonly runs = new Counter({
    name: 'docker_worker_runs_total',
    help: 'Runs that have ended, by how.',
    labelNames: ['resolution'],
    registers: this.#registers,
  });
  readonly runSeconds = new Histogram({
    name: 'docker_worker_run_seconds',
    help: 'From the claim of a run to its resolution.',
    buckets,
    registers: this.#registers,
  });
  readonly startSeconds = new Histogram({
    name: 'docker_worker_start_seconds',
    help: 'From the claim of a run to the start of its container.',
    buckets,
    registers: this.#registers,
  });
  readonly imageSeconds = new Histogram({
    name: 'docker_worker_image_seconds',
    help: 'How long tasks waited for their image, also for one that was on the host.',
    buckets,
    registers: this.#registers,
  });
  readonly claimErrors = new Counter({
    name: 'docker_worker_claim_errors_total',
    help: 'Calls to claim work that failed.',
    registers: this.#registers,
  });
  readonly reclaims = new Counter({
    name: 'docker_worker_reclaims_total',
    help: 'Renewals of claims, by outcome: renewed or failed.',
    labelNames: ['outcome'],
    registers: this.#registers,
  });
  readonly removed = new Counter({
    name: 'docker_worker_removed_total',
    help: 'What was removed from the host because nobody used it, by kind: image or cache.',
    labelNames: ['kind'],
    registers: this.#registers,
  });
  readonly artifacts = new Counter({
    name: 'docker_worker_artifacts_total',
    help: 'Files that were uploaded as artifacts.',
    registers: this.#registers,
  });
  readonly artifactBytes = new Counter({
    name: 'docker_worker_artifact_bytes_total',
    help: 'Bytes of those files before compression.',
    registers: this.#registers,
  });
  readonly diskRefusals = new Counter({
    name: 'docker_worker_disk_refusals_total',
    help: 'Times that no work was claimed for lack of disk.',
    registers: this.#registers,
  });

  /** @param observed how the worker is at the moment */
  constructor(observed: () => Observed) {
    const registers = this.#registers;
    collectDefaultMetrics({ register: this.registry });
    new Gauge({
      name: 'docker_worker_running',
      help: 'Tasks that run.',
      registers,
      collect() {
        this.set([...observed().runs].length);
      },
    });
    new Gauge({
      name: 'docker_worker_capacity',
      help: 'Tasks that may run at once.',
      registers,
      collect() {
        this.set(observed().config.capacity);
      },
    });
    new Gauge({
      name: 'docker_worker_claiming',
      help: '1 while the worker claims tasks.',
      registers,
      collect() {
        this.set(Number(observed().claiming));
      },
    });
    new Gauge({
      name: 'docker_worker_engine_up',
      help: '1 while the Docker Engine answers.',
      registers,
      async collect() {
        this.set((await workerStatus(observed())).worker.state === 'without engine' ? 0 : 1);
      },
    });
    new Gauge({
      name: 'docker_worker_disk_free_bytes',
      help: 'Free bytes on the disk of images and containers.',
      registers,
      async collect() {
        this.set((await workerStatus(observed())).disk.freeBytes ?? Number.NaN);
      },
    });
  }
}
