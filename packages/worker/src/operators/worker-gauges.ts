import { Gauge, type Registry } from 'prom-client';
import { slotsOf } from '../features/index.ts';
import { type Observed, workerStatus } from './worker-status.ts';

/**
 * What Prometheus is told of a worker at the moment when it asks, beside what is counted.
 *
 * @param observed how the worker is at the moment
 */
export function registerGauges(registry: Registry, observed: () => Observed): void {
  const here = { registers: [registry] };
  new Gauge({
    name: 'docker_worker_running',
    help: 'Tasks that run.',
    ...{ ...here, collect: setting(() => runs({ isOver: false })) },
  });
  new Gauge({
    name: 'docker_worker_undisposed_runs',
    help: 'Runs whose task is over and of which something is left: the upload of the log, the report, containers, a network.',
    ...{ ...here, collect: setting(() => runs({ isOver: true })) },
  });
  new Gauge({
    name: 'docker_worker_capacity',
    help: 'Tasks that may run at once.',
    ...{ ...here, collect: setting(() => slotsOf(observed().config)) },
  });
  new Gauge({
    name: 'docker_worker_claiming',
    help: '1 while the worker claims tasks.',
    ...{ ...here, collect: setting(() => Number(observed().claiming)) },
  });
  new Gauge({
    name: 'docker_worker_engine_up',
    help: '1 while the Docker Engine answers.',
    ...{
      ...here,
      collect: setting(async () => Number((await statusNow()).worker.state !== 'without engine')),
    },
  });
  new Gauge({
    name: 'docker_worker_disk_free_bytes',
    help: 'Free bytes on the disk of images and containers.',
    ...{ ...here, collect: setting(async () => (await statusNow()).disk.freeBytes ?? Number.NaN) },
  });

  function runs({ isOver }: { isOver: boolean }): number {
    return [...observed().runs].filter(({ vacated }) => (vacated !== undefined) === isOver).length;
  }

  function statusNow() {
    return workerStatus(observed());
  }
}

function setting(value: () => number | Promise<number>): (this: Gauge) => Promise<void> {
  return async function () {
    this.set(await value());
  };
}
