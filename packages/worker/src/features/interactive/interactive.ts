import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { execWsServer, programsForContainers } from '@docker-worker/exec-ws-server/sidecar';
import { settingsOf } from '../../config/config.ts';
import { readCertificate } from '../../config/read-certificate.ts';
import { seesFolder } from '../../containers/shared-paths.ts';
import type { Payload } from '../../payload/payload.ts';
import type { OpenShell, ShellAddresses } from '../../run/open-shell.ts';
import type { Run } from '../../run/run.ts';
import { ensureSidecarImage } from '../../sidecars/ensure-sidecar-image.ts';
import type { SidecarControl } from '../../sidecars/sidecar-control.ts';
import { configuredImages } from '../../sidecars/sidecar-image.ts';
import { socketName } from '../../sidecars/socket-folder.ts';
import { type Feature, sidecarRequest } from '../feature.ts';
import { openEnginePortal } from './engine-portal.ts';
import { settings } from './settings.ts';
import { shellAddresses, usesTls } from './shell-addresses.ts';
import { publish, shellArtifactNames, shellArtifacts } from './shell-artifacts.ts';
import { Stay } from './stay.ts';
import { busybox, makeTaskFolder, type TaskFolder, wrapper } from './task-folder.ts';
import { makeTaskVolume } from './task-volume.ts';

/** Of a folder whose sockets have paths that the kernel takes. */
const longestStateDirectory = 75;

/**
 * A shell in the task's container, for people, in their browsers. The container outlives the task's command
 * for them; the command's exit code stays the task's.
 */
export const interactive: Feature = {
  name: 'interactive',
  description: 'Lets people open a shell in the task container',
  settings,
  published: (config) => settingsOf(config, settings).interactive,
  defaultOn: false,
  sidecars: [execWsServer],
  unavailable(config) {
    if (usesTls(config) && config.ssl === undefined) {
      return 'its configuration has "interactive.ssl", but no "ssl" with certificate and key';
    }
    return config.stateDirectory.length > longestStateDirectory
      ? `its "stateDirectory" is longer than ${longestStateDirectory} characters, too long for sockets in it`
      : undefined;
  },
  notices({ payload }) {
    const lost = Object.keys(payload.env ?? {}).filter((name) => !/^[A-Za-z_]\w*$/.test(name));
    return lost.map(
      (name) => `interactive: the command does not see ${name}, which no shell takes for a name`,
    );
  },
  artifactNames: (_payload, config) => shellArtifactNames(config),
  async prepare(run, payload) {
    const { config, engine } = run.host;
    const { minTime, expirationAfterSession, maxSessions } = settingsOf(config, settings).interactive;
    const [folder, tls] = await Promise.all([
      makeFolder(run).then((made) => run.resources.use(made)),
      usesTls(config) ? readCertificate(config, 'interactive.ssl') : undefined,
    ]);
    const stay = run.resources.use(
      new Stay({
        minTime,
        expirationAfterSession,
        onNews: (text) => run.log.worker(`interactive: ${text}`),
        onOver: () => folder.release(),
      }),
    );
    const secret = randomBytes(16).toString('base64url');
    const endsAt = new Date(Date.now() + payload.maxRunTime * 1000).toJSON();
    let programs: Promise<void> | undefined;
    const addresses = Promise.withResolvers<ShellAddresses>();
    return {
      wrapper,
      hostConfig: { Binds: [folder.bind] },
      sidecars: [
        sidecarRequest(execWsServer, async ({ sidecar, taskContainer }) => {
          // They stay, and may be running, when the service has to be started again.
          programs ??= addPrograms(folder, sidecar);
          const [container, port] = await Promise.all([taskContainer(), sidecar.publishedPort(), programs]);
          const portal = await openEnginePortal({
            docker: engine.docker,
            container,
            socketPath: join(sidecar.sockets as string, socketName),
            onStreams: (people) => stay.connected(people),
          });
          if (run.resources.disposed) {
            await portal[Symbol.asyncDispose]();
            throw new Error('the run is over');
          }
          run.resources.use(portal);
          const opened = shellAddresses(config, port, secret);
          addresses.resolve(opened);
          // The path is the secret.
          run.logger.info({ port }, 'create websocket server at');
          return {
            ...{ container, secret, busybox, ...tls },
            engineSocket: `${execWsServer.sockets}/${socketName}`,
            task: { taskId: run.taskId, runId: run.runId },
            endsAt,
            origins: [...new Set([config.rootUrl, opened.page].map((url) => new URL(url).origin))],
            maxSessions,
          };
        }),
      ],
      async onStarted(container) {
        stay.started();
        const end = () => stay[Symbol.dispose]();
        run.signal.addEventListener('abort', end);
        container.exited.then(end, end);
        void folder.ended.then((exitCode) => stay.commandEnded(exitCode));
        await announce(run, payload, { ...(await addresses.promise), leave: () => stay.leave() });
      },
      onTimeUp: () => stay.cutShort('The maxRunTime is over; the container ends.'),
    };
  },
};

/** The folder that the container gets from the worker: of this host, or of the engine where that does not see this host's. */
async function makeFolder({ host, owner, signal }: Run): Promise<TaskFolder> {
  const { config, engine } = host;
  if (await seesFolder(engine, owner.worker, config.stateDirectory)) {
    return await makeTaskFolder(config.stateDirectory);
  }
  const image = await ensureSidecarImage(engine.docker, execWsServer, configuredImages(config), signal);
  return await makeTaskVolume(engine, owner, image);
}

async function addPrograms(folder: TaskFolder, sidecar: SidecarControl): Promise<void> {
  if (folder.addPrograms !== undefined) {
    await folder.addPrograms(await sidecar.archive(programsForContainers));
  }
}

async function announce(run: Run, payload: Payload, shell: OpenShell): Promise<void> {
  const { config, onShell } = run.host;
  const artifacts = shellArtifacts(run, shell);
  await publish(run, artifacts, payload.maxRunTime);
  run.log.worker(
    `interactive: to log into this task, open ${config.rootUrl}/tasks/${run.taskId}/connect or the artifact ` +
      `${artifacts[0]?.name} of this run. The container stays for at least ${settingsOf(config, settings).interactive.minTime} ` +
      'seconds after its start.',
  );
  run.links.set('shell', shell.page);
  run.host.onStep?.(run);
  onShell?.(run, shell);
}
