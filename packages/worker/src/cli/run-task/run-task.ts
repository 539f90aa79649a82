import { availableParallelism } from 'node:os';
import type { LocalTaskcluster } from '@docker-worker/local-taskcluster';
import { standardError } from '@docker-worker/service-kit/standard-streams';
import { pino } from 'pino';
import taskcluster, { type Client } from 'taskcluster-client';
import { all } from '../../async/all.ts';
import { workerNameOf } from '../../config/config.ts';
import { readFeatureSettings } from '../../config-file/read-config.ts';
import type { FeatureSettings } from '../../config-file/worker-config.ts';
import { sweep } from '../../containers/sweep.ts';
import type { PullPolicy } from '../../engine/pull-policy.ts';
import { payloadSchemaFor } from '../../features/payload-schema.ts';
import type { PayloadSchema } from '../../payload/payload.ts';
import { taskclusterName } from '../../taskcluster-access/taskcluster-access.ts';
import { UserError } from '../../user-error.ts';
import type { Worker } from '../../worker.ts';
import { endOnUncaught } from '../end-on-uncaught.ts';
import type { EventKind } from '../task-file/event/event.ts';
import { readEvents } from '../task-file/event/read-events.ts';
import { listText } from '../task-file/graph/list-text.ts';
import { readTaskFile, type TaskFile } from '../task-file/read-task-file.ts';
import { withRootUrl } from '../task-file/root-url.ts';
import type { TaskDocument } from '../task-file/task-document.ts';
import { prepareArtifactFolder } from './artifacts/prepare-artifact-folder.ts';
import type { EngineConnection } from './engine-connection.ts';
import { keepContainer } from './keep-container.ts';
import { localAccess } from './local-access.ts';
import { localWarmUnits, localWorkerConfig, placeholder } from './local-worker.ts';
import { missingSecrets, missingSecretText } from './missing-secrets.ts';
import { parseSecrets, parseVariables } from './name-value.ts';
import { resultTable } from './report/result-table.ts';
import { checkReports, writeReports } from './report/write-report.ts';
import {
  createRoles,
  missingScopesText,
  parseRoles,
  type RoleScopes,
  unknownRoles,
  unknownRoleText,
} from './roles.ts';
import { Session } from './session.ts';
import { settingsOfOneRun } from './settings-of-one-run.ts';
import { taskDefinition } from './task-definition.ts';
import { readContext } from './template-context.ts';
import { LogIn, type LogInOptions, letIn } from './terminal/log-in.ts';
import { pullLine } from './terminal/pull-line.ts';
import { terminalLog } from './terminal/terminal-log.ts';
import { readUpstream } from './upstream/read-upstream.ts';
import { provideImages, upstreamImages } from './upstream/upstream-images.ts';
import { upstreamTask } from './upstream/upstream-task.ts';

export interface RunTaskOptions extends LogInOptions {
  artifacts?: string;
  secret: string[];
  scope: string[];
  env: string[];
  role: string[];
  context: string[];
  event?: EventKind;
  eventFile?: string;
  target: string[];
  list?: boolean;
  capacity?: number;
  report: string[];
  keep?: boolean;
  page?: boolean;
  /** Deployment of the task `taskId`. */
  rootUrl?: string;
  taskId?: string;
  /** Deployment that images are fetched from; default: the task's. */
  upstreamRootUrl?: string;
  dryRun?: boolean;
  logLevel: string;
  /** File with the settings of features. */
  config?: string;
  pull?: PullPolicy;
}

/**
 * Runs the tasks of a file, or a task of a deployment, with an embedded Taskcluster. Their logs go to standard output, and nothing else
 * does; several at once have their lines prefixed with their names.
 *
 * @returns the exit code of the shell that was opened in this terminal, if one was; else of the first task
 *   that did not succeed, or 0
 */
export async function runTask(
  file: string | undefined,
  options: RunTaskOptions,
  connection: EngineConnection,
): Promise<number> {
  const configured = withPull(
    options.config === undefined ? {} : await readFeatureSettings(options.config),
    options.pull,
  );
  const capacity = options.capacity ?? Math.max(2, availableParallelism());
  let config = localWorkerConfig(placeholder, capacity, configured);
  const schema = payloadSchemaFor(config);
  const upstream = upstreamTask(file, options);
  const read =
    upstream === undefined ? await readFile(file, schema, options) : await readUpstream(upstream, schema);
  if (options.list) {
    process.stdout.write(listText(read.tasks));
    return 0;
  }
  const documents = letIn(read.tasks, options);
  const overrides = { scopes: options.scope, env: parseVariables(options.env) };
  const secrets = parseSecrets(options.secret);
  const roles = parseRoles(options.role);
  const tasks = documents.map((document) => ({
    name: document.name,
    taskId: document.taskId,
    definition: taskDefinition(document, overrides),
  }));
  const images = upstreamImages(documents);
  const upstreamRoot = options.upstreamRootUrl ?? upstream?.rootUrl ?? process.env.TASKCLUSTER_ROOT_URL;
  if (images.length > 0 && upstreamRoot === undefined) {
    say('images are wanted of tasks that are not here; give their deployment by --upstream-root-url');
  }
  for (const notice of [...read.notices, ...noticesOf(documents, roles, secrets)]) {
    say(notice);
  }
  if (options.artifacts !== undefined && !options.dryRun) {
    await prepareArtifactFolder(options.artifacts);
  }
  checkReports(options.report);
  await using resources = new AsyncDisposableStack();
  const settings = await settingsOfOneRun(documents, configured, config, resources, say);
  if (settings !== configured) {
    config = localWorkerConfig(placeholder, capacity, settings);
  }
  if (options.dryRun) {
    const { dryRun } = await import('./dry-run.ts');
    return await dryRun(tasks, await connection.connect(), config, roles);
  }
  const engine = await connection.connect();
  const logger = pino(
    { level: options.logLevel },
    process.stderr.isTTY ? terminalLog(process.stderr) : standardError,
  );
  const access = resources.use(await localAccess(engine, config));
  const warmUnits = resources.use(localWarmUnits({ engine, access, config, logger }, documents));
  // The engine makes networks and boots sidecars while everything else is loaded and starts.
  warmUnits.refill();
  const sweeping = sweep(engine.docker, workerNameOf(config));
  // Told when the worker starts.
  sweeping.catch(() => {});
  const [{ startLocalTaskcluster }, { startWorker }] = await Promise.all([
    import('@docker-worker/local-taskcluster'),
    import('../../worker.ts'),
  ]);
  const local = resources.use(await startLocalTaskcluster({ aliases: [taskclusterName], oneQueue: true }));
  access.serve(local);
  const client = { rootUrl: local.rootUrl, credentials: local.credentials };
  const queue = new taskcluster.Queue(client);
  if (upstreamRoot !== undefined) {
    await provideImages(images, upstreamRoot, { queue, index: new taskcluster.Index(client) });
  }
  const session = new Session(queue, options.artifacts, process.stdout);
  resources.defer(local.onTask((task) => session.seen(task)));
  resources.defer(tellRefusals(local, session));
  const runs = options.page ? new (await import('../../pages/page-runs.ts')).PageRuns(engine) : undefined;
  const page = runs && resources.use(await local.servePages({ runs }));
  if (page !== undefined) {
    say(`page: ${page.url}`);
  }
  const logIn = new LogIn(options, session.output);
  using _signals = session.handleSignals();
  config = { ...config, rootUrl: local.rootUrl, taskcluster: local.credentials };
  let worker: Worker | undefined;
  using _uncaught = endOnUncaught({ config, logger, worker: () => worker });
  const provided = all([
    createSecrets(new taskcluster.Secrets(client), secrets),
    createRoles(new taskcluster.Auth(client), roles),
  ]);
  const newTasks = tasks.map(({ definition, ...task }) => ({
    ...task,
    definition: withRootUrl(definition, access.rootUrl),
  }));
  [worker] = await all([
    startWorker({
      ...{ config, logger, hangsUp: true },
      ...{ engine, access, warmUnits, sweeping },
      onPull: process.stderr.isTTY ? pullLine(process.stderr) : undefined,
      onRun(run) {
        session.follow(run);
        runs?.opened(run);
      },
      onStep: () => runs?.changed(),
      onShell: ({ taskId }, shell) => logIn.opened(session.nameOf(taskId), shell),
      onExited: options.keep
        ? (run, container, outcome) => keepContainer(engine.docker, run, container, outcome)
        : undefined,
      onResolved(run, outcome) {
        runs?.disposed(run);
        session.resolved(run, outcome);
      },
    }).then((started) => resources.use(started)),
    provided.then(() => session.create(newTasks)),
  ]);
  // A worker that fails, as when the engine is lost, ends the wait as well.
  const taskCode = await Promise.race([session.exitCode(), worker.ended.then(() => session.exitCode())]);
  const results =
    tasks.length > 1 || session.size > 1 || options.report.length > 0 ? await session.results() : [];
  if (results.length > 1) {
    process.stderr.write(`\n${resultTable(results, process.stderr)}`);
  }
  await writeReports(options.report, results);
  if (page !== undefined) {
    say(`page: it stays at ${page.url} until you end this, as with Ctrl+C`);
    await Promise.race([session.interrupted, worker.ended.catch(() => {})]);
  }
  return (await logIn.exitCode()) ?? taskCode;
}

/** The command line comes before the file. */
function withPull(settings: FeatureSettings, pull: PullPolicy | undefined): FeatureSettings {
  return pull === undefined
    ? settings
    : { ...settings, dockerConfig: { ...(settings.dockerConfig as object), pull } };
}

async function readFile(
  file: string | undefined,
  schema: PayloadSchema,
  options: RunTaskOptions,
): Promise<TaskFile> {
  if (file === undefined) {
    throw new UserError('run-task needs a file, the address of a task, or --task-id');
  }
  return await readTaskFile(file, schema, {
    context: readContext(options.context),
    events: await readEvents(file, options),
    targets: options.target,
  });
}

async function createSecrets(service: Client, secrets: Map<string, object>): Promise<void> {
  const expires = taskcluster.fromNowJSON('1 day');
  await Promise.all([...secrets].map(([name, secret]) => service.set(name, { secret, expires })));
}

/** What tasks will lack because there is no deployment behind them. */
function noticesOf(documents: TaskDocument[], roles: RoleScopes, secrets: Map<string, object>): string[] {
  return documents.flatMap(({ name, task: { scopes = [] } }) =>
    [
      ...unknownRoles(scopes, roles).map(unknownRoleText),
      ...missingSecrets(scopes, secrets).map(missingSecretText),
    ].map((text) => `${name}: ${text}`),
  );
}

/** Tells, once each, what tasks were refused because they lack scopes, and how to give them those. */
function tellRefusals(local: LocalTaskcluster, session: Session): () => void {
  const told = new Set<string>();
  return local.onRequest((request) => {
    // As a queue calls the credentials of a task.
    const [, taskId] = /^task-client\/([^/]+)\//.exec(request.clientId ?? '') ?? [];
    if (request.missingScopes === undefined || taskId === undefined) {
      return;
    }
    const text = `${session.nameOf(taskId)}: ${missingScopesText(request, session.scopesOf(taskId))}`;
    if (!told.has(text)) {
      told.add(text);
      say(text);
    }
  });
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
