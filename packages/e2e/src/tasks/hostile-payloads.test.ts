import { expect, test } from '@jest/globals';
import { soakPayloads } from '../soak/payloads.ts';

// In full: npm run soak -- payloads
test('whatever their payloads are, tasks end, and a healthy one beside them completes', async () => {
  expect((await soakPayloads(100)).filter(({ isGood }) => isGood === false)).toEqual([]);
}, 600_000);
