import { countFreePhones } from '@docker-worker/testdroid-proxy/release-session';
import { settingsOf } from '../../config/config.ts';
import type { PartHost } from '../../run/host-part.ts';
import { settings } from '../devices/settings.ts';
import { cloudAccess } from './cloud-access.ts';

/**
 * How many more tasks can be claimed, whatever phones they ask for; without limit unless the configuration
 * wants phones counted. None while the cloud does not answer.
 *
 * @param claimed payloads of the tasks that run, which nobody may have examined yet
 * @param borrowed how many of them have their phone
 */
export async function phonesLeft(
  { config, logger }: Pick<PartHost, 'config' | 'logger'>,
  claimed: readonly unknown[],
  borrowed: number,
): Promise<number> {
  const { enabled, type, sims } = settingsOf(config, settings).deviceManagement.phone;
  const access = enabled ? await cloudAccess(config) : undefined;
  if (access === undefined) {
    return Number.POSITIVE_INFINITY;
  }
  // Those that have not borrowed theirs yet; the cloud does not know of them.
  const waiting = claimed.filter(asksForPhone).length - borrowed;
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
