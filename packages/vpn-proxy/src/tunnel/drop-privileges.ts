import { ServiceError } from '@docker-worker/service-kit';

/** The user that HTTP is served as; the image has no other use for it. */
export const proxyUser = 10_001;

/**
 * Turns this process, which faces the task, into one of a user without any capability. What it has started
 * before, the tunnel, keeps its own. Does nothing when this process is not root in the first place.
 *
 * @throws ServiceError
 */
export function dropPrivileges(): void {
  if (process.getuid?.() !== 0) return;
  try {
    process.setgroups?.([]);
    process.setgid?.(proxyUser);
    process.setuid?.(proxyUser);
  } catch (error) {
    throw new ServiceError(
      `privileges cannot be given up (${(error as NodeJS.ErrnoException).code}): run the container with ` +
        '--cap-add SETUID --cap-add SETGID',
    );
  }
}
