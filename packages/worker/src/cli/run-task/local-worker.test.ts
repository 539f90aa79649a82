import { expect, test } from '@jest/globals';
import { localWorkerConfig, placeholder } from './local-worker.ts';

test('somebody who waits does not wait for a registry as long as a deployed worker does', () => {
  const { dockerConfig } = localWorkerConfig(placeholder, 1);

  expect(dockerConfig).toMatchObject({ maxAttempts: 2, delayFactor: 2_000 });
});

test('settings go before what is usual on a machine of a person', () => {
  const { dockerConfig } = localWorkerConfig(placeholder, 1, { dockerConfig: { maxAttempts: 7 } });

  expect(dockerConfig).toMatchObject({ maxAttempts: 7, delayFactor: 2_000 });
});
