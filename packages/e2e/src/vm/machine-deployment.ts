import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startLocalTaskcluster } from '@docker-worker/local-taskcluster';
import { freePort } from '@docker-worker/service-kit/testing/free-port';
import taskcluster, { type Client } from 'taskcluster-client';
import { BootedMachine } from './booted-machine.ts';

const run = promisify(execFile);

export interface MachineDeploymentOptions {
  /** Has the images of the disks. */
  folder: string;
  /** What the machine boots from. */
  disk: string;
  /** Further disks of the machine, behind that with its configuration. */
  moreDisks?: readonly string[];
  /** Lines of `/etc/default/docker-worker`. */
  settings?: Record<string, string>;
  /** Of the worker, beside those that every test needs. */
  config?: object;
}

/** A machine that boots, and the Taskcluster on this host that its worker registers with. */
export class MachineDeployment implements AsyncDisposable {
  readonly machine: BootedMachine;
  readonly queue: Client;
  /** When the machine was switched on. */
  readonly startedAt: number;
  readonly #resources: AsyncDisposableStack;

  static async start(options: MachineDeploymentOptions): Promise<MachineDeployment> {
    await using resources = new AsyncDisposableStack();
    const port = await freePort();
    const local = resources.use(
      // This host as the machine sees it.
      await startLocalTaskcluster({ host: '127.0.0.1', port, rootUrl: `http://10.0.2.2:${port}` }),
    );
    const client = { rootUrl: `http://127.0.0.1:${port}`, credentials: local.credentials };
    const config = await configurationDisk(options, local.rootUrl, new taskcluster.WorkerManager(client));
    const startedAt = Date.now();
    const machine = resources.use(
      await BootedMachine.start([options.disk, config, ...(options.moreDisks ?? [])]),
    );
    return new MachineDeployment(machine, new taskcluster.Queue(client), startedAt, resources.move());
  }

  private constructor(
    machine: BootedMachine,
    queue: Client,
    startedAt: number,
    resources: AsyncDisposableStack,
  ) {
    this.machine = machine;
    this.queue = queue;
    this.startedAt = startedAt;
    this.#resources = resources;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#resources.disposeAsync();
  }

  async createTask(payload: object, scopes: readonly string[] = []): Promise<string> {
    const taskId = taskcluster.slugid();
    await this.queue.createTask(taskId, {
      taskQueueId: 'test/e2e',
      created: taskcluster.fromNowJSON('0 seconds'),
      deadline: taskcluster.fromNowJSON('3 hours'),
      scopes,
      metadata: {
        name: 'e2e',
        description: 'a test',
        owner: 'nobody@example.com',
        source: 'https://example.com',
      },
      payload: { image: 'docker-worker/example-task', maxRunTime: 3600, ...payload },
    });
    return taskId;
  }

  /** The queue tells nobody, so it is asked. A machine that ends meanwhile fails this with its last words. */
  async untilState(taskId: string, states: string[]) {
    let ended = false;
    void this.machine.ended.then(() => {
      ended = true;
    });
    for (;;) {
      const { status } = await this.queue.status(taskId);
      const last = status.runs.at(-1);
      if (last !== undefined && states.includes(last.state)) return last;
      if (ended) throw new Error(`the machine has ended:\n${this.machine.console}`);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }

  /** The log of a task that must complete, and when it was claimed; what became of it otherwise is told with its log. */
  async completed(taskId: string): Promise<{ text: string; claimedAt: number }> {
    const run = await this.untilState(taskId, ['completed', 'failed', 'exception']);
    const text = await this.log(taskId);
    if (run.state !== 'completed') {
      throw new Error(`the task ended as ${run.state}, ${run.reasonResolved}:\n${text}`);
    }
    return { text, claimedAt: Date.parse(run.started) };
  }

  async log(taskId: string): Promise<string> {
    return await download(this.queue.buildUrl(this.queue.getArtifact, taskId, 0, 'public/logs/live.log'));
  }
}

/** Identity and secret of a worker that worker-manager knows, and the machine's settings, on a disk of their own. */
async function configurationDisk(
  { folder, settings, config }: MachineDeploymentOptions,
  rootUrl: string,
  workerManager: Client,
): Promise<string> {
  const staticSecret = randomBytes(33).toString('base64url');
  const [workerPoolId, workerGroup, workerId] = ['test/e2e', 'vm', 'machine'];
  await workerManager.createWorkerPool(workerPoolId, {
    providerId: 'static',
    description: 'workers for tests',
    config: { workerConfig: {}, lifecycle: { reregistrationTimeout: 3600 } },
    owner: 'nobody@example.com',
    emailOnError: false,
  });
  await workerManager.createWorker(workerPoolId, workerGroup, workerId, {
    expires: taskcluster.fromNowJSON('1 day'),
    capacity: 1,
    providerInfo: { staticSecret },
  });
  const content = join(folder, 'config');
  await mkdir(content);
  const identity = { rootUrl, providerId: 'static', workerPoolId, workerGroup, workerId };
  const workerConfig = {
    registration: { provider: 'static', ...identity, staticSecretFile: '/etc/docker-worker/secret' },
    capacityManagement: { diskspaceThreshold: 0 },
    shutdown: { enabled: false },
    // It claims only when it has seen from a container that no metadata service is reached.
    metadata: 'require',
    // The machine is emulated, and everything in it takes its time.
    sidecars: { readySeconds: 900 },
    ...config,
  };
  await writeFile(join(content, 'worker.yml'), JSON.stringify(workerConfig));
  await writeFile(join(content, 'secret'), staticSecret);
  if (settings !== undefined) {
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
    await writeFile(join(content, 'default'), lines.join(''));
  }
  const disk = join(folder, 'config.img');
  await run('truncate', ['--size=4M', disk]);
  await run('mke2fs', ['-q', '-F', '-L', 'DWCONFIG', '-d', content, disk]);
  return disk;
}

/** Redirects name this host as the machine sees it. */
async function download(url: string): Promise<string> {
  const response = await fetch(url.replace('//10.0.2.2:', '//127.0.0.1:'), { redirect: 'manual' });
  const location = response.headers.get('location');
  return location === null ? await response.text() : await download(location);
}
