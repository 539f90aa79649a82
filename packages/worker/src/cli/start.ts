import { pino } from 'pino';
import { readConfig } from '../config/read-config.ts';
import { connectEngine } from '../engine/engine.ts';
import { startWorker } from '../worker.ts';
import { exitCode } from './exit-code.ts';

/**
 * Runs a worker until it ends. SIGQUIT lets running tasks finish; SIGTERM and SIGINT abort them so that
 * other workers get them; a second signal ends the process at once.
 */
export async function start(options: { config: string; logLevel: string }): Promise<number> {
  const config = await readConfig(options.config);
  await using engine = await connectEngine();
  await using worker = await startWorker({
    config,
    engine,
    logger: pino({
      level: options.logLevel,
      base: {
        source: 'top',
        provisionerId: config.provisionerId,
        workerType: config.workerType,
        workerGroup: config.workerGroup,
        workerId: config.workerId,
        workerNodeType: config.workerNodeType,
      },
      messageKey: 'type',
    }),
  });
  let stopping = false;
  for (const signal of ['SIGQUIT', 'SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stopping) {
        process.exit(signal === 'SIGINT' ? exitCode.interrupted : exitCode.terminated);
      }
      stopping = true;
      if (signal === 'SIGQUIT') {
        worker.drain();
      } else {
        worker.abort();
      }
    });
  }
  await worker.ended;
  return 0;
}
