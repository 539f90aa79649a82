import type { Logger } from 'pino';
import type { WorkerConfig } from '../config/config.ts';
import { readCertificate } from '../config/read-certificate.ts';
import { type LogServer, startLogServer } from './log-server.ts';

/** The server of live logs, as the configuration wants it. */
export async function openLogServer(config: WorkerConfig, logger: Logger): Promise<LogServer> {
  const { liveLogAddress, liveLogPort, secureLiveLogging } = config.logging;
  const certificate = async () => {
    try {
      return await readCertificate(config, 'logging.secureLiveLogging');
    } catch (error) {
      logger.error({ err: error }, '[alert-operator] ssl certificate error');
      throw error;
    }
  };
  const tls = secureLiveLogging ? await certificate() : undefined;
  return await startLogServer(liveLogAddress, liveLogPort, tls);
}
