import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/**
 * Tells systemd that the worker is ready, if systemd has started it (`Type=notify`, `NotifyAccess=all`). By its own command,
 * because Node has no datagrams over unix sockets.
 */
export async function notifyReady(env: NodeJS.ProcessEnv = process.env): Promise<void> {
  if (!env.NOTIFY_SOCKET) return;
  await promisify(execFile)('systemd-notify', ['--ready', '--status=claiming tasks']);
}
