import { settingsOf, type WorkerConfig } from '../../config/config.ts';
import type { ShellAddresses } from '../../run/open-shell.ts';
import type { Run } from '../../run/run.ts';
import { settings } from './settings.ts';

/** A link outlives the task's time by so many seconds, as do the links of other workers. */
const graceSeconds = 900;

export interface ShellArtifact {
  name: string;
  url: string;
}

export function shellArtifactNames(config: WorkerConfig): string[] {
  const { artifactName } = settingsOf(config, settings).interactive;
  return [`${artifactName}interactive.html`, `${artifactName}shell.html`];
}

/**
 * The two artifacts that lead people to the page. Programs find the address of the socket in the query;
 * the page takes no notice of it.
 */
export function shellArtifacts(run: Run, { page, socket, socketV2 }: ShellAddresses): ShellArtifact[] {
  const { rootUrl } = run.host.config;
  const { interactive } = settingsOf(run.host.config, settings);
  const [pageArtifact = '', shellArtifact = ''] = shellArtifactNames(run.host.config);
  const query = (v: string, socketUrl: string) =>
    new URLSearchParams({ v, socketUrl, taskId: run.taskId, runId: String(run.runId) });
  const own = `${page}?${query('1', socket)}`;
  const other = `${rootUrl}/shell/?${query('2', socketV2)}`;
  return [
    { name: pageArtifact, url: own },
    {
      name: shellArtifact,
      url: interactive.shellPage === 'taskcluster' ? other : own,
    },
  ];
}

export async function publish(run: Run, artifacts: ShellArtifact[], maxRunTime: number): Promise<void> {
  const end = new Date(Date.now() + (maxRunTime + graceSeconds) * 1000).toJSON();
  const expires = Date.parse(end) < Date.parse(run.task.expires) ? end : run.task.expires;
  await Promise.all(
    artifacts.map(({ name, url }) =>
      run.queue().createArtifact(run.taskId, run.runId, name, {
        ...{ storageType: 'reference', contentType: 'text/html', expires, url },
      }),
    ),
  );
}
