import { CloudError } from './cloud/cloud-error.ts';
import { hardwareLabels } from './cloud/devices.ts';
import { createCloud } from './create-cloud.ts';

export { CloudError };

export interface OperatorSettings {
  cloudUrl: string;
  apiKey?: string | undefined;
  username?: string | undefined;
  password?: string | undefined;
  /** PEM text. */
  ca?: string | undefined;
}

const answerSeconds = 10;

/**
 * Ends a session that a service could not end itself. One that is over already is fine.
 *
 * @throws CloudError
 */
export async function releaseSession(settings: OperatorSettings, sessionId: number): Promise<void> {
  await using cloud = createCloud({ ...settings, headersTimeout: answerSeconds });
  await cloud.sessions.release(sessionId, AbortSignal.timeout(answerSeconds * 1000));
}

/**
 * How many phones of a kind can be had now.
 *
 * @throws CloudError
 */
export async function countFreePhones(
  settings: OperatorSettings,
  kind: { type?: string | undefined; sims?: string | undefined },
): Promise<number> {
  await using cloud = createCloud({ ...settings, headersTimeout: answerSeconds });
  const signal = AbortSignal.timeout(answerSeconds * 1000);
  return (await cloud.devices.free(hardwareLabels(kind), signal)).length;
}
