import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import type { Engine } from '../../engine/engine.ts';
import { connectStandIn } from '../../engine/testing/connect-stand-in.ts';

/** What the stand-in does with the one container that it has, and when; all times in milliseconds. */
export interface ContainerCourse {
  /** From the start to the exit; a negative time is an exit before the start is answered. */
  exitsAfter: number;
  /** How long each request lies before it is looked at. */
  delays: Record<'attach' | 'start' | 'wait' | 'inspect', number>;
  /** What tells of the exit, how long after it; `undefined` is never. */
  tells: { answer?: number; event?: number; output?: number };
  output: string;
  exitCode: number;
}

/** An engine with one container, which takes requests in any order and is slow to tell. */
export async function containerStandIn(
  course: ContainerCourse,
): Promise<AsyncDisposable & { engine: Engine }> {
  const exited = Promise.withResolvers<void>();
  let running = false;
  let hasExited = false;
  let events: ServerResponse | undefined;

  async function start(response: ServerResponse): Promise<void> {
    running = true;
    const run = setTimeout(Math.max(0, course.exitsAfter), undefined, { ref: false }).then(() => {
      running = false;
      hasExited = true;
      exited.resolve();
      void after(course.tells.event, () =>
        events?.write(
          `${JSON.stringify({ Action: 'die', Actor: { ID: 'container', Attributes: { exitCode: String(course.exitCode) } } })}\n`,
        ),
      );
    });
    if (course.exitsAfter < 0) {
      await run;
    }
    response.writeHead(204).end();
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://engine');
    const json = (body: object, status = 200) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    switch (pathname) {
      case '/events':
        events = response;
        response.writeHead(200).flushHeaders();
        break;
      case '/containers/create':
        json({ Id: 'container' }, 201);
        break;
      case '/containers/container/attach':
        await setTimeout(course.delays.attach);
        response.writeHead(200, { 'content-type': 'application/vnd.docker.raw-stream' }).write(course.output);
        await exited.promise;
        void after(course.tells.output, () => response.end());
        break;
      case '/containers/container/start':
        await setTimeout(course.delays.start);
        await start(response);
        break;
      case '/containers/container/wait': {
        await setTimeout(course.delays.wait);
        response.writeHead(200).flushHeaders();
        // What has exited already does not exit next.
        const missed = searchParams.get('condition') === 'next-exit' && hasExited;
        await exited.promise;
        void after(missed ? undefined : course.tells.answer, () =>
          response.end(JSON.stringify({ StatusCode: course.exitCode })),
        );
        break;
      }
      case '/containers/container/json':
        await setTimeout(course.delays.inspect);
        json({ State: { Running: running, ExitCode: course.exitCode, OOMKilled: false } });
        break;
      default:
        response.end('OK');
    }
  }

  return await connectStandIn((request, response) => {
    void answer(request, response);
  });
}

async function after(ms: number | undefined, act: () => void): Promise<void> {
  if (ms !== undefined) {
    await setTimeout(ms);
    act();
  }
}
