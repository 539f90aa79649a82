import { tcProxy } from '@docker-worker/tc-proxy/sidecar';
import { rootUrlInside } from '../../run/run.ts';
import { type Feature, sidecarRequest } from '../feature.ts';

/**
 * `http://taskcluster` in the task: API calls are signed with the claim's credentials, restricted to the
 * scopes of the task's definition and the right to create artifacts of its own run.
 */
export const taskclusterProxy: Feature = {
  name: 'taskclusterProxy',
  description: 'Lets the task call Taskcluster with its own scopes at $TASKCLUSTER_PROXY_URL',
  defaultOn: false,
  sidecars: [tcProxy],
  async prepare(run) {
    const { taskId, runId, task, host } = run;
    return {
      env: { TASKCLUSTER_PROXY_URL: 'http://taskcluster' },
      sidecars: [
        sidecarRequest(
          tcProxy,
          async () => ({
            rootUrl: rootUrlInside(host),
            credentials: run.credentials,
            authorizedScopes: [...task.scopes, `queue:create-artifact:${taskId}/${runId}`],
          }),
          { followsCredentials: true },
        ),
      ],
    };
  },
};
