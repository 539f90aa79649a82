import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { shownTypes } from '../views/opened-in-place.ts';
import type { PageSource } from './page-source.ts';
import { contentHeaders } from './policies.ts';
import { notHere, RunPath } from './run-path.ts';

/** In the address as a parameter: browsers would take `..` out of a path. */
const Name = z.object({ name: z.string().min(1).max(1024) });

/** What a task has left, in which nothing runs. What a browser does not show of itself is saved to a file. */
export function addArtifactRoute(app: FastifyInstance, source: PageSource): void {
  app.get('/tasks/:taskId/:runId/artifact', async (request, reply) => {
    const { taskId, runId } = RunPath.parse(request.params);
    const { name } = Name.parse(request.query);
    const artifact = runId === undefined ? undefined : await source.artifact?.(taskId, runId, name);
    if (artifact === undefined) {
      return notHere(reply);
    }
    const isShown = shownTypes.test(artifact.contentType);
    return reply
      .headers(contentHeaders)
      .headers({
        'content-type': isShown ? artifact.contentType : 'application/octet-stream',
        'content-length': artifact.contentLength,
        'content-disposition': `${isShown ? 'inline' : 'attachment'}; filename*=UTF-8''${fileName(name)}`,
        ...(artifact.contentEncoding === 'gzip' && { 'content-encoding': 'gzip' }),
      })
      .send(artifact.stream);
  });
}

function fileName(name: string): string {
  const last = name.slice(name.lastIndexOf('/') + 1).toWellFormed();
  return encodeURIComponent(last).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16)}`,
  );
}
