import { countFreePhones } from '@docker-worker/testdroid-proxy/release-session';
import type { RunHost } from '../../run/run.ts';
import { cloudAccess } from './cloud-access.ts';

/**
 * How many more tasks can be claimed, whatever phones they ask for; without limit unless the configuration
 * wants phones counted. None while the cloud does not answer.
 *
 * @param claimed payloads of the tasks that run, which nobody may have examined yet
 */
export async function phonesLeft(
  { config, phoneSessions, logger }: Pick<RunHost, 'config' | 'phoneSessions' | 'logger'>,
  claimed: readonly unknown[],
): Promise<number> {
  const { enabled, type, sims } = config.deviceManagement.phone;
  const access = enabled ? await cloudAccess(config) : undefined;
  if (access === undefined) {
    return Number.POSITIVE_INFINITY;
  }
  // Those that have not borrowed theirs yet; the cloud does not know of them.
  const waiting = claimed.filter(asksForPhone).length - phoneSessions.open;
  try {
    return Math.max(0, (await countFreePhones(access, { type, sims })) - Math.max(0, waiting));
  } catch (error) {
    logger.error({ err: error }, '[alert-operator] free phones could not be counted');
    return 0;
  }
}

function asksForPhone(payload: unknown): boolean {
  const { capabilities } = (payload ?? {}) as { capabilities?: { devices?: { phone?: unknown } } | null };
  return capabilities?.devices?.phone !== undefined;
}
