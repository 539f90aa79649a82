import Modem from 'docker-modem';
import { startTestWorker } from '../../packages/e2e/src/harness/test-worker.ts';
import { startWatchedDeployment } from '../../packages/e2e/src/soak/watched-deployment.ts';
import { median } from '../averages.ts';

interface Call {
  name: string;
  milliseconds: number;
}

/** What the worker asks the engine for while it runs tasks, with how long each answer took; of a stream, until it began. */
export async function engineCalls(tasks: number, capacity: number, features: object): Promise<string> {
  await using deployment = await startWatchedDeployment();
  const calls: Call[] = [];
  using _ = watchCalls((call) => calls.push(call));
  await using worker = await startTestWorker(deployment, { capacity });
  const taskIds: string[] = [];
  calls.length = 0;
  const started = performance.now();
  for (let task = 0; task < tasks; task += 1) {
    taskIds.push(await deployment.createTask({ command: ['true'], features }));
  }
  await Promise.all(taskIds.map((taskId) => worker.outcome(taskId)));
  const each = ((performance.now() - started) / tasks) * capacity;
  return tableOf(calls, tasks, each);
}

function watchCalls(onCall: (call: Call) => void): Disposable {
  const { dial } = Modem.prototype;
  Modem.prototype.dial = function (request, answered) {
    const began = performance.now();
    return dial.call(this, request, (error, result) => {
      onCall({ name: nameOf(request), milliseconds: performance.now() - began });
      answered?.(error, result);
    });
  };
  return {
    [Symbol.dispose]() {
      Modem.prototype.dial = dial;
    },
  };
}

/** Without what is different each time. */
function nameOf({ method, path }: { method?: string; path: string }): string {
  const [target = ''] = path.split('?');
  const unversioned = target.replace(/^\/v[\d.]+(?=\/)/, '');
  return `${method} ${unversioned.replace(/^(\/\w+\/)(?!create$|json$)[^/]+(\/[^/]+(?=\/))*/, '$1…')}`;
}

function tableOf(calls: Call[], tasks: number, millisecondsOfRun: number): string {
  const rows = [...Map.groupBy(calls, ({ name }) => name)]
    .map(([name, same]) => {
      const times = same.map(({ milliseconds }) => milliseconds);
      const sum = times.reduce((total, time) => total + time, 0);
      return {
        name,
        each: times.length / tasks,
        median: median(times),
        share: sum / tasks / millisecondsOfRun,
      };
    })
    .sort((a, b) => b.share - a.share);
  return [
    `A run takes a slot for ${Math.round(millisecondsOfRun)} ms.`,
    '',
    '| call | for each run | median, ms | share of a run |',
    '|---|---|---|---|',
    ...rows.map(
      ({ name, each, median, share }) =>
        `| \`${name}\` | ${each.toFixed(1)} | ${median.toFixed(1)} | ${Math.round(share * 100)} % |`,
    ),
  ].join('\n');
}
