import { Command } from '../harness/command.ts';
import { makeTempDir } from '../harness/temp-dir.ts';
import type { ThrowawayEngine } from '../harness/throwaway-engine.ts';
import { writeConfig } from '../harness/write-config.ts';
import type { Finding } from './finding.ts';
import { startWatchedDeployment } from './watched-deployment.ts';

const capacity = 4;

/**
 * Kills the engine under a worker with its default settings, whose every slot has a task, and starts it again, so
 * many times.
 */
export async function soakEngineRestarts(engine: ThrowawayEngine, count: number): Promise<Finding[]> {
  await using deployment = await startWatchedDeployment();
  await using folder = await makeTempDir();
  const config = await writeConfig(folder.path, deployment, {
    capacity,
    cache: { volumeCachePath: `${folder.path}/caches` },
    stateDirectory: `${folder.path}/state`,
  });
  await using worker = new Command(['start', '--config', config], { env: { DOCKER_HOST: engine.host } });

  let runs = 0;
  const tasks: string[] = [];
  for (let restart = 0; restart < count; restart += 1) {
    // The first is killed in its midst, the others wherever they have got to.
    const command = ['sh', '-c', `sleep ${5 + Math.random() * 5}`];
    const first = await deployment.createTask({ command }, { retries: count + 1 });
    tasks.push(first);
    for (let other = 1; other < 2 * capacity; other += 1) {
      tasks.push(await deployment.createTask({ command: ['true'] }, { retries: count + 1 }));
    }
    await worker.printed(new RegExp(`"taskId":"${first}".*"type":"task started"`));
    await engine.kill();
    await worker.printed(new RegExp(`"taskId":"${first}".*"resolution":"exception/worker-shutdown"`));
    await engine.boot();
    process.stderr.write(`restart ${restart + 1} of ${count}\n`);
    await worker.printed(new RegExp(`"taskId":"${first}".*"resolution":"completed"`));
  }
  const states: string[] = [];
  for (const taskId of tasks) {
    await worker.printed(new RegExp(`"taskId":"${taskId}".*"resolution":"completed"`));
    const { status } = await deployment.queue.status(taskId);
    states.push(status.state);
    runs += status.runs.length;
  }
  const twice = [...deployment.reports.values()].filter(({ length }) => length > 1).length;
  const exceptions = [...deployment.reports.values()].filter(([report]) => report === 'exception').length;
  const completed = states.filter((state) => state === 'completed').length;
  const left = await engine.docker('ps', '--all', '--quiet', '--filter', 'label=docker-worker.role=task');
  worker.kill('SIGQUIT');
  const code = await worker.exited;
  return [
    { what: 'restarts of the engine', figure: count },
    { what: 'tasks', figure: tasks.length },
    { what: 'tasks completed', figure: completed, isGood: completed === tasks.length },
    { what: 'runs', figure: runs },
    {
      what: 'runs that ended with the engine and were retried',
      figure: exceptions,
      isGood: exceptions >= count,
    },
    { what: 'runs resolved twice', figure: twice, isGood: twice === 0 },
    {
      what: 'containers of tasks left',
      figure: left.split('\n').filter(Boolean).length,
      isGood: left === '',
    },
    { what: 'exit code of the worker', figure: code ?? -1, isGood: code === 0 },
  ];
}
