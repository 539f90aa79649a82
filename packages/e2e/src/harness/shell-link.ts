import type { Deployment } from './deployment.ts';
import { logShows } from './log-shows.ts';
import type { TestWorker } from './test-worker.ts';

export interface ShellLink {
  /** Where the artifact leads a browser. */
  page: string;
  /** What programs find in it: the address of the socket. */
  socket: string;
  secret: string;
  /** When the link is over. */
  expires: Date;
}

/** Follows the link of an interactive task as somebody who may read its private artifacts. */
export async function shellLink(
  { queue }: Deployment,
  worker: TestWorker,
  taskId: string,
  name = 'private/docker-worker/interactive.html',
): Promise<ShellLink> {
  await logShows(await worker.run(taskId), 'interactive: to log into this task');
  const url = queue.buildSignedUrl(queue.getArtifact, taskId, 0, name);
  const answer = await fetch(url, { redirect: 'manual' });
  const page = answer.headers.get('location') ?? '';
  const { artifacts } = (await queue.listArtifacts(taskId, 0)) as {
    artifacts: { name: string; expires: string }[];
  };
  return {
    page,
    socket: new URL(page).searchParams.get('socketUrl') ?? '',
    secret: new URL(page).pathname.split('/')[1] ?? '',
    expires: new Date(artifacts.find((artifact) => artifact.name === name)?.expires ?? ''),
  };
}
