import { startLocalTaskcluster } from '@docker-worker/local-taskcluster';
import taskcluster from 'taskcluster-client';
import type { WorkerConfig } from '../../config/config.ts';
import type { Engine } from '../../engine/engine.ts';
import { localImage } from '../../engine/ensure-image.ts';
import type { PullPolicy } from '../../engine/pull-policy.ts';
import { examine } from '../../lifecycle/examine.ts';
import type { Image } from '../../payload/image.ts';
import { TaskDefinition } from '../../queue/queue.ts';
import { sidecarImage } from '../../sidecars/sidecar-image.ts';
import { exitCode } from '../exit-code.ts';
import { createRoles, type RoleScopes } from './roles.ts';

/** Prints what `run-task` would create for each task, and why it would refuse one; creates nothing. */
export async function dryRun(
  tasks: { name: string; definition: object }[],
  engine: Engine,
  config: WorkerConfig,
  roles: RoleScopes = new Map(),
): Promise<number> {
  await using local = await startLocalTaskcluster();
  const auth = new taskcluster.Auth({ rootUrl: local.rootUrl, credentials: local.credentials });
  await createRoles(auth, roles);
  let code = 0;
  for (const { name, definition } of tasks) {
    const task = TaskDefinition.parse(definition);
    const examination = await examine(
      task,
      { config, engine },
      async () => (await auth.expandScopes({ scopes: task.scopes })).scopes,
    );
    print(`task ${name}`);
    if (!examination.accepted) {
      for (const message of examination.messages) {
        print(`  refused    ${message}`);
      }
      code = exitCode.failure;
      continue;
    }
    const { payload, used } = examination;
    const sidecars = used.flatMap((feature) => feature.sidecars ?? []);
    print(`  network    a bridge network of its own, a /28 of ${config.network.subnets}`);
    print(`  container  image ${await imageText(payload.image)}`);
    print(`  command    ${payload.command.length === 0 ? "the image's" : JSON.stringify(payload.command)}`);
    for (const sidecar of sidecars) {
      const from = sidecarImage(sidecar, config.sidecars);
      print(
        `  sidecar    ${sidecar.name}, image ${from} (${await whereIs(from)}), as http://${sidecar.alias}`,
      );
    }
    print(`  mounts     none`);
    print(`  env        ${Object.keys(payload.env ?? {}).join(', ') || 'only what every task has'}`);
    for (const [artifact, { type, path }] of Object.entries(payload.artifacts ?? {})) {
      print(`  artifact   ${artifact} from the ${type} ${path}`);
    }
    print(`  features   ${used.map((feature) => feature.name).join(', ')}`);
    print(`  scopes     ${task.scopes.join(', ') || 'none'}; none is missing`);
  }
  return code;

  async function imageText(image: Image): Promise<string> {
    if (typeof image !== 'string' && image.type !== 'docker-image') {
      return JSON.stringify(image);
    }
    const name = typeof image === 'string' ? image : image.name;
    return `${name} (${await whereIs(name, config.dockerConfig.pull)})`;
  }

  async function whereIs(image: string, pull: PullPolicy = 'missing'): Promise<string> {
    if (pull === 'always') {
      return 'to be pulled';
    }
    const local = await localImage(engine.docker, image);
    return local !== undefined ? 'on this host' : pull === 'never' ? 'missing' : 'to be pulled';
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
