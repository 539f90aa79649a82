import { testdroidProxy } from '@docker-worker/testdroid-proxy/sidecar';
import { settingsOf } from '../../config/config.ts';
import { rootUrlInside } from '../../run/run.ts';
import { type Feature, sidecarRequest } from '../feature.ts';
import { cloudAccess } from './cloud-access.ts';
import { phonesOfHost } from './phones-of-host.ts';
import { settings, type TestdroidSettings } from './settings.ts';

/**
 * `http://testdroid` in the task: it borrows a phone there, which is given back when the task ends, if it does
 * not do so itself. URLs of builds are signed as the task's own proxy would sign them.
 */
export const testdroidProxyFeature: Feature = {
  name: 'testdroidProxy',
  description: 'Borrows a phone from Testdroid for the task, reached at http://testdroid',
  settings,
  host: phonesOfHost,
  defaultOn: false,
  sidecars: [testdroidProxy],
  unavailable: (config) =>
    settingsOf(config, settings).testdroid === undefined ? 'its configuration has no "testdroid"' : undefined,
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
    const { taskId, runId, task, host, owner, leases } = run;
    // First of all, so that it is disposed of when the service, which ends its sessions itself, is gone.
    const sessions = leases.use(host.parts.of(phonesOfHost).ofRun(owner));
    const { ca: _, ...account } = settingsOf(host.config, settings).testdroid as TestdroidSettings;
    return {
      env: { DEVICE_CAPABILITIES: JSON.stringify(capabilities?.devices?.phone) },
      sidecars: [
        sidecarRequest(
          testdroidProxy,
          async () => ({
            ...account,
            ca: (await cloudAccess(host.config))?.ca,
            deviceTimeout: Math.min(maxRunTime, longestSession),
            rootUrl: rootUrlInside(host),
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
