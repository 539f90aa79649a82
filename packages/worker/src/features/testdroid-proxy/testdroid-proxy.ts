import { testdroidProxy } from '@docker-worker/testdroid-proxy/sidecar';
import { type Feature, sidecarRequest } from '../feature.ts';
import { cloudAccess } from './cloud-access.ts';
import type { TestdroidSettings } from './settings.ts';

/**
 * `http://testdroid` in the task: it borrows a phone there, which is given back when the task ends, if it does
 * not do so itself. URLs of builds are signed as the task's own proxy would sign them.
 */
export const testdroidProxyFeature: Feature = {
  name: 'testdroidProxy',
  defaultOn: false,
  sidecars: [testdroidProxy],
  unavailable: ({ testdroid }) =>
    testdroid === undefined ? 'its configuration has no "testdroid"' : undefined,
  problems({ payload: { capabilities } }) {
    const [path, what] =
      capabilities?.devices === undefined
        ? ['payload.capabilities.devices', 'Device']
        : ['payload.capabilities.devices.phone', 'Phone device'];
    return capabilities?.devices?.phone === undefined
      ? [{ path, message: `${what} configuration must be supplied when using the testdroidProxy feature` }]
      : [];
  },
  async prepare(run, { capabilities, maxRunTime }) {
    const { taskId, runId, task, host, owner, resources } = run;
    // First of all, so that it is disposed of when the service, which ends its sessions itself, is gone.
    const sessions = resources.use(host.phoneSessions.ofRun(owner));
    const { ca: _, ...settings } = host.config.testdroid as TestdroidSettings;
    return {
      env: { DEVICE_CAPABILITIES: JSON.stringify(capabilities?.devices?.phone) },
      sidecars: [
        sidecarRequest(
          testdroidProxy,
          async () => ({
            ...settings,
            ca: (await cloudAccess(host.config))?.ca,
            deviceTimeout: Math.min(maxRunTime, longestSession),
            rootUrl: host.config.rootUrl,
            credentials: run.credentials,
            authorizedScopes: [...task.scopes, `queue:create-artifact:${taskId}/${runId}`],
          }),
          { followsCredentials: true, endsWithTask: true, onEvent: (event) => sessions.note(event) },
        ),
      ],
    };
  },
};

/** Seconds; what the service takes at most. */
const longestSession = 7 * 24 * 3600;
