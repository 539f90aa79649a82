import { setTimeout } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import Docker from 'dockerode';
import fc from 'fast-check';
import { execStandIn } from '../testing/exec-stand-in.ts';
import { ExecProcess } from './exec-process.ts';

const delay = fc.integer({ min: 0, max: 25 });
const course = fc.record({
  delays: fc.record({ create: delay, start: delay, inspect: delay }),
  output: fc.string({ maxLength: 100 }),
  endsAfter: delay,
  knownAfter: fc.integer({ min: -25, max: 50 }),
  exitCode: fc.integer({ min: 0, max: 255 }),
});

async function run(socketPath: string): Promise<{ exitCode: number | string; output: string }> {
  const process = await ExecProcess.start(new Docker({ socketPath }), 'a', { command: ['a'], tty: true });
  let output = '';
  process.on('output', (_, bytes) => {
    output += bytes.toString();
  });
  process.holds.release('start');
  return { exitCode: await process.exited.catch((error: Error) => error.message), output };
}

test('a process ends with all its output and its exit code, in whatever order the engine tells of them', async () => {
  await fc.assert(
    fc.asyncProperty(course, async (given) => {
      await using standIn = await execStandIn(given);

      const ended = await Promise.race([
        run(standIn.socketPath),
        setTimeout(60_000, 'never', { ref: false }),
      ]);

      expect(ended).toEqual({ exitCode: given.exitCode, output: given.output });
    }),
    { numRuns: 40 },
  );
}, 180_000);

test('an exit code that the engine does not tell is not waited for without an end', async () => {
  await using standIn = await execStandIn({
    ...{ delays: { create: 0, start: 0, inspect: undefined }, output: 'a' },
    ...{ endsAfter: 0, knownAfter: 0, exitCode: 0 },
  });

  expect(await run(standIn.socketPath)).toEqual({
    exitCode: 'the engine does not tell how the process has ended',
    output: 'a',
  });
}, 30_000);
