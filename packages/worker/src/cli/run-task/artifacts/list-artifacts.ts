import type { Client } from 'taskcluster-client';
import { z } from 'zod';

const ArtifactPage = z.looseObject({
  artifacts: z.array(z.looseObject({ name: z.string(), storageType: z.string() })),
  continuationToken: z.string().optional(),
});

/** All artifacts of a run, however many answers the queue gives them in. */
export async function listArtifacts(queue: Client, taskId: string, runId: number) {
  const all: z.infer<typeof ArtifactPage>['artifacts'] = [];
  for (let query: object = {}; ; ) {
    const { artifacts, continuationToken } = ArtifactPage.parse(
      await queue.listArtifacts(taskId, runId, query),
    );
    all.push(...artifacts);
    if (continuationToken === undefined) {
      return all;
    }
    query = { continuationToken };
  }
}
