import { tmpdir } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import type { Sidecar } from '@docker-worker/service-kit/sidecar';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SidecarFailure } from './sidecar-control.ts';
import { startSidecar } from './start-sidecar.ts';
import { type SidecarCourse, sidecarStandIn } from './testing/sidecar-stand-in.ts';

const answerMs = 150;
const delay = fc.integer({ min: 0, max: 25 });
const maybe = fc.option(delay, { freq: 8, nil: undefined });
const course: fc.Arbitrary<SidecarCourse> = fc.record({
  delays: fc.record({ image: maybe, create: maybe, attach: maybe, start: maybe, remove: maybe }),
  readyAfter: maybe,
  diesAfter: fc.option(delay, { nil: undefined }),
  tells: fc.record({ event: maybe, output: maybe }),
});

test('a service is ready, or it is told why not, whatever the engine leaves unanswered and in whatever order', async () => {
  await fc.assert(
    fc.asyncProperty(course, async (given) => {
      await using standIn = await sidecarStandIn(given, answerMs);

      const ended = await Promise.race([lifeOf(standIn.engine), setTimeout(60_000, 'never', { ref: false })]);

      expect(ended).not.toBe('never');
      if (ended === 'ready') {
        expect(Object.values({ ...given.delays, remove: 0, ready: given.readyAfter })).not.toContain(
          undefined,
        );
        expect(standIn.asked).toContainEqual(expect.stringMatching(/^\/containers\/container\?.*force=true/));
      }
    }),
    { numRuns: 40 },
  );
}, 180_000);

/** From its creation to its removal. */
async function lifeOf(engine: Parameters<typeof startSidecar>[0]): Promise<'ready' | 'failed'> {
  const sidecar = { name: 'service', image: 'service', version: '1', alias: 'service', port: 80 } as Sidecar;
  try {
    const control = await startSidecar(engine, sidecar, {
      ...{
        network: 'network',
        extraHosts: [],
        owner: { worker: 'worker', taskRun: 'task/0' },
        images: { digests: {} },
      },
      ...{ readySeconds: answerMs / 1000, cpus: 1, stateDirectory: tmpdir(), publish: {}, onLog() {} },
      signal: new AbortController().signal,
    });
    try {
      await control.configure({});
      return 'ready';
    } finally {
      await control[Symbol.asyncDispose]().catch(() => {});
    }
  } catch (error) {
    expect(error).toBeInstanceOf(SidecarFailure);
    return 'failed';
  }
}
