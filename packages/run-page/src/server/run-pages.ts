import type { FastifyInstance, FastifyReply } from 'fastify';
import { ZodError, z } from 'zod';
import { documentOf, type Page } from '../views/document.ts';
import { groupParts } from '../views/group-parts.ts';
import { homeParts } from '../views/home-parts.ts';
import { runParts } from '../views/run-parts.ts';
import { addArtifactRoute } from './artifact-route.ts';
import { type EventFeed, sendEvents } from './event-stream.ts';
import { addLogRoutes, LineIndexes } from './log-routes.ts';
import { pageFile } from './page-files.ts';
import type { PageLog, PageSource } from './page-source.ts';
import { pageHeaders } from './policies.ts';
import { GroupPath, notHere, RunPath, TaskPath } from './run-path.ts';
import { isOwnPage } from './same-origin.ts';
import { toHtml } from './to-html.ts';

export interface RunPagesOptions {
  source: PageSource;
}

const Action = TaskPath.extend({ action: z.enum(['cancel', 'rerun']) });

/**
 * A Fastify plugin: the pages of all that the source knows of, under the prefix with which it is registered. They show their
 * state without a script, and follow it by server-sent events with one.
 */
export async function runPages(app: FastifyInstance, { source }: RunPagesOptions): Promise<void> {
  const base = app.prefix;
  const indexes = new LineIndexes();
  // A form without fields has a body of no bytes and yet a type.
  app.addContentTypeParser('*', { parseAs: 'string', bodyLimit: 1024 }, (_request, _body, done) =>
    done(null),
  );
  app.setErrorHandler((error: Error, _request, reply) => {
    const isGone = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (error instanceof ZodError || isGone) {
      return notHere(reply);
    }
    const status = (error as { statusCode?: number }).statusCode ?? 500;
    return reply
      .code(status)
      .headers(pageHeaders)
      .type('text/plain; charset=utf-8')
      .send(`${status < 500 ? error.message : 'This cannot be shown: the server has failed.'}\n`);
  });

  async function home(): Promise<Page> {
    const [worker, groups] = await Promise.all([source.worker?.(), source.groups?.()]);
    return {
      title: worker?.title ?? 'Tasks',
      ways: [['Overview', `${base}/`]],
      events: `${base}/events`,
      parts: homeParts({ worker, groups }, base),
    };
  }

  async function groupPage(params: unknown): Promise<Page | undefined> {
    const { groupId } = GroupPath.parse(params);
    const view = await source.group?.(groupId);
    return (
      view && {
        title: `Group ${groupId}`,
        ways: [['Overview', `${base}/`]],
        events: `${base}/groups/${groupId}/events`,
        parts: groupParts(view, base),
      }
    );
  }

  async function runPage(params: unknown): Promise<Page | undefined> {
    const { taskId, runId } = RunPath.parse(params);
    const view = await source.run(taskId, runId);
    const group: Page['ways'] =
      view?.groupId === undefined ? [] : [['Group', `${base}/groups/${view.groupId}`]];
    return (
      view && {
        title: `${view.state}: ${view.name}`,
        ways: [['Overview', `${base}/`], ...group],
        events: `${base}/tasks/${taskId}/${runId ?? 'none'}/events`,
        parts: runParts(view, base),
      }
    );
  }

  function send(reply: FastifyReply, page: Page | undefined): FastifyReply {
    return page === undefined
      ? notHere(reply)
      : reply
          .headers(pageHeaders)
          .type('text/html; charset=utf-8')
          .send(`<!doctype html>${toHtml(documentOf(page, base))}`);
  }

  async function follow(
    reply: FastifyReply,
    pageNow: () => Promise<Page | undefined>,
    logNow: () => Promise<PageLog | undefined> = async () => undefined,
  ): Promise<FastifyReply> {
    if ((await pageNow()) === undefined) {
      return notHere(reply);
    }
    reply.hijack();
    reply.raw.writeHead(200, { ...pageHeaders, 'content-type': 'text/event-stream' }).flushHeaders();
    void sendEvents(reply.raw, feedOf({ source, indexes, pageNow, logNow }));
    return reply;
  }

  const run = async (params: unknown) => {
    const { taskId, runId } = RunPath.parse(params);
    return runId === undefined ? undefined : await source.log(taskId, runId);
  };

  app.get('/', async (_request, reply) => send(reply, await home()));
  app.get('/events', (_request, reply) => follow(reply, home));
  app.get('/groups/:groupId', async ({ params }, reply) => send(reply, await groupPage(params)));
  app.get('/groups/:groupId/events', ({ params }, reply) => follow(reply, () => groupPage(params)));
  app.get('/tasks/:taskId', async ({ params }, reply) => {
    const { taskId } = TaskPath.parse(params);
    const view = await source.run(taskId);
    return view === undefined
      ? notHere(reply)
      : reply.headers(pageHeaders).redirect(`${base}/tasks/${taskId}/${view.runId ?? 'none'}`, 303);
  });
  app.get('/tasks/:taskId/:runId', async ({ params }, reply) => send(reply, await runPage(params)));
  app.get('/tasks/:taskId/:runId/events', ({ params }, reply) =>
    follow(
      reply,
      () => runPage(params),
      () => run(params),
    ),
  );
  app.get('/files/:name', async ({ params }, reply) => {
    const file = await pageFile((params as { name: string }).name);
    return file === undefined
      ? notHere(reply)
      : reply.headers(pageHeaders).type(file.type).send(file.content);
  });
  app.post('/tasks/:taskId/:action', async ({ params, headers }, reply) => {
    const { taskId, action } = Action.parse(params);
    if (source.act === undefined) {
      return notHere(reply);
    }
    if (!isOwnPage(headers)) {
      return reply
        .code(403)
        .headers(pageHeaders)
        .type('text/plain; charset=utf-8')
        .send('Only the pages of this server may ask for that.\n');
    }
    await source.act(taskId, action);
    return reply.headers(pageHeaders).redirect(`${base}/tasks/${taskId}`, 303);
  });
  addLogRoutes(app, source, indexes);
  addArtifactRoute(app, source);
}

interface Followed {
  source: PageSource;
  indexes: LineIndexes;
  pageNow(): Promise<Page | undefined>;
  logNow(): Promise<PageLog | undefined>;
}

/** The parts that are other than before, and the length of the log. */
function feedOf({ source, indexes, pageNow, logNow }: Followed): EventFeed {
  const shown = new Map<string, string>();
  let wakeUp = () => {};
  let followed: PageLog | undefined;
  let unfollow = () => {};
  const isNew = (key: string, value: unknown) => {
    const text = JSON.stringify(value);
    const before = shown.get(key);
    shown.set(key, text);
    return before !== text;
  };
  return {
    subscribe(wake) {
      wakeUp = wake;
      const unsubscribe = source.onChange(wake);
      return () => {
        unsubscribe();
        unfollow();
      };
    },
    async news() {
      const [page, log] = await Promise.all([pageNow(), logNow()]);
      if (page === undefined) {
        return isNew('gone', true) ? [{ name: 'gone', data: {} }] : [];
      }
      if (log !== followed) {
        unfollow();
        followed = log;
        unfollow = log?.onGrowth(wakeUp) ?? unfollow;
      }
      const parts = page.parts.filter(({ id, content }) => isNew(`part ${id}`, content));
      const length = log === undefined ? undefined : await indexes.of(log).extend();
      return [
        ...(isNew('title', page.title) ? [{ name: 'title', data: page.title }] : []),
        ...parts.map((data) => ({ name: 'part', data })),
        ...(length !== undefined && isNew('log', length) ? [{ name: 'log', data: length }] : []),
      ];
    },
  };
}
