import { hostnameOf } from '../../log/stateless-hostname.ts';
import type { Run } from '../../run/run.ts';
import type { Feature } from '../feature.ts';
import { backingLogName, liveLogName } from './log-names.ts';
import { uploadLog } from './upload-log.ts';

const contentType = 'text/plain; charset=utf-8';

/**
 * The log while it is written, served by this worker, and the same log as an artifact afterwards. During
 * the run the live log is a reference to this worker; at the end it links to the uploaded backing log.
 */
export const localLiveLog: Feature = {
  name: 'localLiveLog',
  description: 'Serves the log while the task runs, and keeps it as an artifact afterwards',
  defaultOn: true,
  artifactNames(payload) {
    const name = liveLogName(payload);
    return [name, backingLogName(name)];
  },
  async openLog(run) {
    const name = liveLogName(run.task.payload);
    const { logServer, config } = run.host;
    const published = run.resources.use(logServer.publish(run.log));
    const url = `${logServer.scheme}://${hostnameOf(config, new Date(run.task.deadline))}:${logServer.port}${published.path}`;
    run.links.set('log', url);
    const announced = announce(run, name, url);
    return {
      async onClosed() {
        await announced;
        await uploadLog(run, { name: backingLogName(name), contentType });
        await run.queue().createArtifact(run.taskId, run.runId, name, {
          storageType: 'link',
          expires: run.task.expires,
          contentType,
          artifact: backingLogName(name),
        });
      },
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
