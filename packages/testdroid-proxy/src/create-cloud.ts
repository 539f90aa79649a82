import { createUpstreamDispatcher } from '@docker-worker/service-kit';
import { type CloudAccount, cloudAuthorization } from './cloud/cloud-authorization.ts';
import { CloudClient } from './cloud/cloud-client.ts';
import { DeviceSessions } from './cloud/device-sessions.ts';
import { Devices } from './cloud/devices.ts';

export interface CloudSettings {
  /** With a slash at its end. */
  cloudUrl: string;
  apiKey?: string | undefined;
  username?: string | undefined;
  password?: string | undefined;
  /** PEM text. */
  ca?: string | undefined;
  headersTimeout: number;
}

export interface Cloud extends AsyncDisposable {
  client: CloudClient;
  devices: Devices;
  sessions: DeviceSessions;
}

/** The cloud of an account. Nothing is asked of it yet. */
export function createCloud(
  { cloudUrl, apiKey, username = '', password = '', ca, headersTimeout }: CloudSettings,
  learnSecret: (secret: string | undefined) => void = () => {},
): Cloud {
  const dispatcher = createUpstreamDispatcher({
    ...(ca === undefined ? {} : { ca }),
    headersTimeoutMs: headersTimeout * 1000,
    bodyTimeoutMs: headersTimeout * 1000,
  });
  const account: CloudAccount = apiKey === undefined ? { username, password } : { apiKey };
  const authorization = cloudAuthorization(account, { dispatcher, cloudUrl, learnSecret });
  const client = new CloudClient({ dispatcher, cloudUrl, authorization });
  return {
    client,
    devices: new Devices(client),
    sessions: new DeviceSessions(client),
    [Symbol.asyncDispose]: () => dispatcher.destroy(),
  };
}
