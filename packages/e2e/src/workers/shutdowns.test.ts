import { expect, test } from '@jest/globals';
import { soakShortTasks } from '../soak/short-tasks.ts';
import { soakShutdowns } from '../soak/shutdowns.ts';

// In full: npm run soak -- shutdowns
test('no task waits for its claim to expire because its worker was told to end', async () => {
  expect((await soakShutdowns(8)).filter(({ isGood }) => isGood === false)).toEqual([]);
});

// In full: npm run soak -- short-tasks
test('tasks that end at once are seen to end', async () => {
  expect((await soakShortTasks(24)).filter(({ isGood }) => isGood === false)).toEqual([]);
});
