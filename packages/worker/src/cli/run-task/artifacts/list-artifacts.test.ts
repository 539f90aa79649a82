import { expect, test } from '@jest/globals';
import type { Client } from 'taskcluster-client';
import { claimRun } from '../../../artifacts/testing/claimed-run.ts';
import { listArtifacts } from './list-artifacts.ts';

test('the artifacts of all pages are listed', async () => {
  await using run = await claimRun();
  const { queue, taskId, runId, taskExpires: expires } = run.destination;
  const names = ['public/a', 'public/b', 'public/c', 'public/d', 'public/e'];
  for (const name of names) {
    const properties = { storageType: 'error', reason: 'file-missing-on-worker', message: 'none', expires };
    await queue().createArtifact(taskId, runId, name, properties);
  }
  const twoAtATime = {
    listArtifacts: (id: string, number: number, query: object) =>
      queue().listArtifacts(id, number, { ...query, limit: 2 }),
  } as unknown as Client;

  expect((await listArtifacts(twoAtATime, taskId, runId)).map(({ name }) => name)).toEqual(names);
});
