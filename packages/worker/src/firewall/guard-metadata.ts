import type { Logger } from 'pino';
import { UserError } from '../user-error.ts';
import { blockMetadata, forgetMetadataRules, type MetadataOptions } from './block-metadata.ts';

/**
 * What "metadata" of the configuration wants, until it is disposed of. With `block` a rule that cannot be made, or does not hold,
 * is told to the operators; with `require` there is no worker without it.
 *
 * @throws UserError
 */
export async function guardMetadata(
  options: MetadataOptions & { logger: Logger; lost: AbortSignal },
): Promise<AsyncDisposable> {
  const { config, logger, lost } = options;
  await using resources = new AsyncDisposableStack();
  if (config.metadata === 'allow') {
    // For a worker without the rule there is no reason to wait for the end of an earlier one's.
    const forgotten = forgetMetadataRules(options).then(
      () => {},
      () => {},
    );
    resources.defer(() => forgotten);
    return resources.move();
  }
  try {
    const rule = await blockMetadata(options);
    // Tasks may still run on a lost engine.
    resources.defer(() => (lost.aborted ? undefined : rule[Symbol.asyncDispose]()));
    const told = rule.problem.then((problem) => {
      if (problem !== undefined) throw new Error(`the rule does not hold: ${problem}`);
      logger.info({ range: config.network.subnets }, 'tasks are kept from metadata services');
    });
    if (config.metadata === 'require') {
      await told;
    } else {
      told.catch((error: Error) => tell(logger, error));
    }
  } catch (error) {
    if (config.metadata === 'require') {
      throw new UserError(`${unblocked}: ${(error as Error).message}. "metadata" requires that they cannot.`);
    }
    tell(logger, error as Error);
  }
  return resources.move();
}

export const unblocked = 'Tasks can reach the metadata service of the cloud';

function tell(logger: Logger, error: Error): void {
  logger.error(
    { reason: error.message },
    '[alert-operator] tasks can reach the metadata service of the cloud',
  );
}
