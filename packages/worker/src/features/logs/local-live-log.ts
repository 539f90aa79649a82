import { hostnameOf } from '../../log/stateless-hostname.ts';
import type { Run } from '../../run/run.ts';
import type { Feature } from '../feature.ts';
import { logContentType as contentType } from './keep-log.ts';
import { liveLogName } from './log-names.ts';

/** The log while it is written, served by this worker: until it is kept, its artifact is a reference to here. */
export const localLiveLog: Feature = {
  name: 'localLiveLog',
  description: 'Serves the log while the task runs',
  defaultOn: true,
  async openLog(run) {
    const name = liveLogName(run.task.payload);
    const { logServer, config } = run.host;
    const published = run.resources.use(logServer.publish(run.log));
    const url = `${logServer.scheme}://${hostnameOf(config, new Date(run.task.deadline))}:${logServer.port}${published.path}`;
    run.links.set('log', url);
    run.host.onStep?.(run);
    const announced = announce(run, name, url);
    return {
      onClosed: () => announced,
    };
  },
};

/** Without a live log the task runs all the same, and its log is uploaded at the end. */
async function announce(run: Run, name: string, url: string): Promise<void> {
  try {
    await run.queue().createArtifact(run.taskId, run.runId, name, {
      storageType: 'reference',
      expires: run.task.expires,
      contentType,
      url,
    });
  } catch (error) {
    run.logger.error({ err: error }, 'the live log could not be announced');
  }
}
