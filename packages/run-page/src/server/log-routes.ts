import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { byteRange } from './byte-range.ts';
import { findInLog } from './find-in-log.ts';
import { LineIndex } from './line-index.ts';
import type { PageLog, PageSource } from './page-source.ts';
import { contentHeaders, pageHeaders } from './policies.ts';
import { notHere, RunPath } from './run-path.ts';

const mostLines = 500;
const Lines = z.object({
  from: z.coerce.number().int().min(0),
  count: z.coerce.number().int().min(1).max(mostLines),
});
const Search = z.object({ text: z.string().min(1).max(1000) });

/** One for each log that somebody looks at. */
export class LineIndexes {
  readonly #indexes = new WeakMap<PageLog, LineIndex>();

  of(log: PageLog): LineIndex {
    const index = this.#indexes.get(log) ?? new LineIndex(log);
    this.#indexes.set(log, index);
    return index;
  }
}

/** The log as it is, some of its lines, and where a text is in it: as much as has been written by now. */
export function addLogRoutes(app: FastifyInstance, source: PageSource, indexes: LineIndexes): void {
  async function logOf(params: unknown): Promise<PageLog | undefined> {
    const { taskId, runId } = RunPath.parse(params);
    return runId === undefined ? undefined : await source.log(taskId, runId);
  }

  /** The log of a worker's run goes away when the run ends; what the run has left takes its place. */
  async function readLog<Read>(
    params: unknown,
    read: (log: PageLog) => Promise<Read>,
  ): Promise<Read | undefined> {
    const log = await logOf(params);
    try {
      return log && (await read(log));
    } catch (error) {
      const next = (error as NodeJS.ErrnoException).code === 'ENOENT' ? await logOf(params) : log;
      if (next === undefined || next === log) {
        throw error;
      }
      return await read(next);
    }
  }

  app.get('/tasks/:taskId/:runId/log', async (request, reply) => {
    const log = await logOf(request.params);
    if (log === undefined) {
      return notHere(reply);
    }
    const { taskId, runId } = RunPath.parse(request.params);
    const { bytes } = log;
    const range = byteRange(request.headers.range, bytes);
    const { from, until } = range ?? { from: 0, until: bytes };
    const isDownload = (request.query as { download?: string }).download !== undefined;
    reply.headers(contentHeaders).headers({
      'content-type': 'text/plain; charset=utf-8',
      'accept-ranges': 'bytes',
      'content-length': until - from,
      ...(isDownload && { 'content-disposition': `attachment; filename="${taskId}-${runId}.log"` }),
      ...(range && { 'content-range': `bytes ${from}-${until - 1}/${bytes}` }),
    });
    return reply
      .code(range === undefined ? 200 : 206)
      .send(from === until ? Readable.from([]) : createReadStream(log.path, { start: from, end: until - 1 }));
  });

  app.get('/tasks/:taskId/:runId/log/lines', async (request, reply) => {
    const { from, count } = Lines.parse(request.query);
    const lines = await readLog(request.params, (log) => indexes.of(log).read(from, count));
    return lines === undefined ? notHere(reply) : reply.headers(pageHeaders).send({ from, lines });
  });

  app.get('/tasks/:taskId/:runId/log/search', async (request, reply) => {
    const { text } = Search.parse(request.query);
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    const found = await readLog(request.params, (log) => findInLog(log, text, { signal: gone.signal }));
    return found === undefined ? notHere(reply) : reply.headers(pageHeaders).send(found);
  });
}
