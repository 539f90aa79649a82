import { tmpdir } from 'node:os';
import type Docker from 'dockerode';
import { bytesText } from '../../bytes-text.ts';
import type { WorkerConfig } from '../../config/config.ts';
import { parseConfig, readConfigDocument } from '../../config-file/read-config.ts';
import { bytesPerTask, roomOn } from '../../disk-room.ts';
import { connectEngine, type Engine } from '../../engine/engine.ts';
import { diskOf, engineDisk } from '../../engine/free-disk.ts';
import { features, featuresOf, slotsOf } from '../../features/index.ts';
import { blockMetadata } from '../../firewall/block-metadata.ts';
import { unblocked } from '../../firewall/guard-metadata.ts';
import { parseRegistration, unregistered } from '../../providers/worker-manager.ts';
import { howToGet, missingSidecars } from '../../sidecars/missing-sidecars.ts';
import { UserError } from '../../user-error.ts';
import { localStateDirectory } from '../run-task/local-worker.ts';
import { deploymentProblems } from './check-deployment.ts';
import { engineNotes } from './engine-notes.ts';

const leastFreeBytes = 1_000_000_000;

/** Looks for everything that would keep a worker from running. Each problem is one line with its fix. */
export async function check(options: { config?: string; online?: boolean }): Promise<number> {
  const problems: string[] = [];
  const read = await attempt(problems, async () =>
    options.config === undefined ? undefined : await checkedConfig(options.config),
  );
  const config = read?.config;
  if (options.online && options.config === undefined) {
    problems.push('--online needs --config FILE: it tells which deployment to ask, and as whom.');
  }
  if (options.online && read?.registers) {
    problems.push(
      '--online cannot be used with "registration": a worker that registers gets its credentials then.',
    );
  }
  await Promise.all([
    checkEngine(problems, config),
    checkDisk(problems),
    ...(options.online && read?.registers === false ? [checkDeployment(problems, read.config)] : []),
  ]);
  for (const problem of problems) {
    process.stdout.write(`problem: ${problem}\n`);
  }
  if (problems.length === 0) {
    process.stdout.write(
      options.config === undefined
        ? 'ok: `run-task` needs no more; `start` needs a configuration: check it with --config FILE\n'
        : 'ok: nothing is in the way of a worker here\n',
    );
  }
  return problems.length === 0 ? 0 : 1;
}

/** What a worker has yet to learn when it registers is made up, so that the rest can be checked. */
async function checkedConfig(file: string): Promise<{ config: WorkerConfig; registers: boolean }> {
  const document = await readConfigDocument(file);
  const registering = unregistered(document);
  if (registering === undefined) {
    return { config: parseConfig(document).config, registers: false };
  }
  parseRegistration(registering);
  const taskcluster = { clientId: 'registering', accessToken: 'registering' };
  const identity = { provisionerId: 'pool', workerType: 'pool', workerGroup: 'group', workerId: 'worker' };
  const unknown = { rootUrl: 'https://registering.invalid', taskcluster, ...identity };
  const { config } = parseConfig({ file, document: { ...unknown, ...registering.document } });
  return { config, registers: true };
}

async function checkEngine(problems: string[], config: WorkerConfig | undefined): Promise<void> {
  await attempt(problems, async () => {
    await using engine = await connectEngine();
    for (const note of await engineNotes(engine, config?.stateDirectory ?? localStateDirectory())) {
      process.stdout.write(`${note}\n`);
    }
    const sidecars = (config === undefined ? features : featuresOf(config))
      .filter(({ name }) => config?.features[name]?.enabled ?? true)
      .flatMap((feature) => feature.sidecars ?? []);
    // With a registry they are pulled when they are first needed.
    const missing =
      config?.sidecars.registry === undefined ? await missingSidecars(engine.docker, sidecars) : [];
    if (missing.length > 0) {
      problems.push(`Images of sidecars are not on this host: ${missing.join(', ')}; ${howToGet}.`);
    }
    await checkMetadata(problems, engine.docker, config);
    if (config !== undefined) {
      await checkRoom(problems, engine, config);
    }
  });
}

/** Makes the rule, tries it and removes it again, beside that of a worker that runs. */
async function checkMetadata(
  problems: string[],
  docker: Docker,
  config: WorkerConfig | undefined,
): Promise<void> {
  if (config === undefined) {
    return;
  }
  if (config.metadata === 'allow') {
    process.stdout.write(`note: ${unblocked}, by "metadata" of the configuration\n`);
    return;
  }
  const problem = await blockMetadata({ docker, config, workerName: 'check' }).then(
    async (rule) => {
      await using _ = rule;
      return await rule.problem;
    },
    (error: Error) => error.message,
  );
  if (problem === undefined) {
    process.stdout.write(
      `note: tasks, in ${config.network.subnets}, are kept from the metadata service of the cloud\n`,
    );
  } else if (config.metadata === 'require') {
    problems.push(`${unblocked}: ${problem}. "metadata" requires that they cannot.`);
  } else {
    process.stdout.write(`warning: ${unblocked}: ${problem}.\n`);
  }
}

async function checkDisk(problems: string[]): Promise<void> {
  const { free } = await diskOf(tmpdir());
  if (free < leastFreeBytes) {
    problems.push(
      `Only ${bytesText(free)} are free in ${tmpdir()}, where logs and artifacts are kept: free ` +
        `${bytesText(leastFreeBytes)}, or set TMPDIR to a larger disk.`,
    );
  }
}

/** Whether the engine's disk has room for as many tasks as the worker would run. */
async function checkRoom(problems: string[], engine: Engine, config: WorkerConfig): Promise<void> {
  const disk = await engineDisk(engine, config.dockerVolume);
  const slots = slotsOf(config);
  const room = disk === undefined ? slots : roomOn(disk, config, slots);
  if (disk === undefined || room === slots) {
    return;
  }
  const facts =
    `${bytesText(disk.free)} are free on the disk of the Docker Engine, and each task has to find ` +
    `${bytesText(bytesPerTask(config, disk))} ("capacityManagement.diskspaceThreshold")`;
  if (room === 0) {
    problems.push(`${facts}: no task would be claimed. Free some, or set the key to less.`);
  } else {
    process.stdout.write(`note: ${facts}: ${room} of ${slots} tasks would be claimed at once\n`);
  }
}

async function checkDeployment(problems: string[], config: WorkerConfig): Promise<void> {
  await attempt(problems, async () => problems.push(...(await deploymentProblems(config))));
}

/** Collects what a check has to say; a failure that it cannot explain goes on. */
async function attempt<T>(problems: string[], work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UserError)) {
      throw error;
    }
    problems.push(error.message);
    return undefined;
  }
}
