import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createTaskContainer } from './task-container.ts';
import { type ContainerCourse, containerStandIn } from './testing/container-stand-in.ts';

const delay = fc.integer({ min: 0, max: 25 });
const maybe = fc.option(delay, { freq: 2, nil: undefined });
const course: fc.Arbitrary<ContainerCourse> = fc.record({
  exitsAfter: fc.integer({ min: -5, max: 25 }),
  delays: fc.record({ attach: delay, start: delay, wait: delay, inspect: delay }),
  tells: fc
    .record({ answer: maybe, event: maybe, output: maybe })
    .filter(({ answer, event, output }) => [answer, event, output].some((told) => told !== undefined)),
  output: fc.string({ maxLength: 100 }),
  exitCode: fc.integer({ min: 0, max: 255 }),
});

test('the exit of a container is seen once anything tells of it, in whatever order requests are handled', async () => {
  await fc.assert(
    fc.asyncProperty(course, async (given) => {
      await using standIn = await containerStandIn(given);
      const container = await createTaskContainer(standIn.engine, { Image: 'a' }, { outputIdleMs: 100 });
      const output = new PassThrough();
      const printed = text(output);

      const { exited } = await container.start(output);
      const exit = await Promise.race([exited, setTimeout(60_000, 'never', { ref: false })]);

      expect(exit).toEqual({ exitCode: given.exitCode, outOfMemory: false });
      output.end();
      expect(await printed).toBe(given.output);
    }),
    { numRuns: 60 },
  );
}, 180_000);

test('the loss of the engine ends the wait for an exit', async () => {
  const delays = { attach: 0, start: 0, wait: 0, inspect: 0 };
  await using standIn = await containerStandIn({
    exitsAfter: 600_000,
    delays,
    tells: {},
    output: '',
    exitCode: 0,
  });
  const container = await createTaskContainer(standIn.engine, { Image: 'a' });
  const { exited } = await container.start(new PassThrough().resume());

  await standIn[Symbol.asyncDispose]();

  await expect(exited).rejects.toThrow();
});
