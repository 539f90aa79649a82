import { expect, test } from '@jest/globals';
import { reachesByHostGateway } from './host-gateway.ts';
import { processEngine } from './testing/process-engine.ts';

test.each([true, false])('whether host-gateway leads to this host is tried: %s', async (desktop) => {
  await using engine = await processEngine({ desktop });
  const asked = { engine: engine.engine, worker: 'worker', image: 'image' };

  expect(await reachesByHostGateway(asked)).toBe(desktop);
});
