import { expect, test } from '@jest/globals';
import type { Run } from '../run/run.ts';
import { PageRuns } from './page-runs.ts';

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds));
const id = { taskId: 'fN1SbArXTPSVFNUvaOlinQ', runId: 0 };
const log = {};

/** An engine with one image, which counts how often it is asked. */
function engineWithImage() {
  let asked = 0;
  const getImage = (hash: string) => ({
    async inspect() {
      asked += 1;
      if (hash !== 'sha256:there') {
        throw new Error('no such image');
      }
      return { Size: 30 * 1024 ** 2 };
    },
  });
  return { docker: { getImage } as never, asked: () => asked };
}

function runWith(more: Partial<Run>): Run {
  return {
    ...id,
    claimed: at(0),
    links: new Map([['shell', 'http://shell/']]),
    log,
    ...more,
  } as unknown as Run;
}

test('a run is told with the phases that it has come to', async () => {
  const runs = new PageRuns(engineWithImage());
  const run = runWith({});
  runs.opened(run);
  expect((await runs.details(id.taskId, 0))?.phases).toEqual([{ name: 'image', from: at(0).toJSON() }]);

  Object.assign(run, { image: { hash: 'sha256:there' }, imageReady: at(2), started: at(3) });

  expect(await runs.details(id.taskId, 0)).toEqual({
    phases: [
      { name: 'image', from: at(0).toJSON(), until: at(2).toJSON(), note: '30.0 MiB' },
      { name: 'sidecars', from: at(2).toJSON(), until: at(3).toJSON() },
      { name: 'running', from: at(3).toJSON() },
    ],
    ...{ log, shell: 'http://shell/' },
  });
});

test('of a run that is over the phases are left, and an image that is gone has no size', async () => {
  const engine = engineWithImage();
  const runs = new PageRuns(engine);
  runs.opened(runWith({ image: { hash: 'sha256:gone' }, imageReady: at(2), started: at(3), exited: at(4) }));
  runs.disposed(id);

  const details = await runs.details(id.taskId, 0);

  expect(details).toMatchObject({ log: undefined, shell: undefined });
  expect(details?.phases.map(({ name, note }) => [name, note])).toEqual([
    ['image', undefined],
    ['sidecars', undefined],
    ['running', undefined],
    ['uploading', undefined],
  ]);
  expect(details?.phases.every(({ until }) => until !== undefined)).toBe(true);
});

test('the engine is asked of an image once, and not before somebody looks', async () => {
  const engine = engineWithImage();
  const runs = new PageRuns(engine);
  runs.opened(runWith({ image: { hash: 'sha256:there' }, imageReady: at(2) }));
  runs.changed();
  expect(engine.asked()).toBe(0);

  await runs.details(id.taskId, 0);
  await runs.details(id.taskId, 0);

  expect(engine.asked()).toBe(1);
});

test('whoever follows is told of each step', () => {
  const runs = new PageRuns(engineWithImage());
  let told = 0;
  const end = runs.onChange(() => {
    told += 1;
  });
  runs.opened(runWith({}));
  runs.changed();
  runs.disposed(id);
  end();
  runs.changed();

  expect(told).toBe(3);
});
