import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import type { Engine } from '../../engine/engine.ts';
import { connectStandIn } from '../../engine/testing/connect-stand-in.ts';

/** What becomes of the one service that the stand-in starts, and when; times in milliseconds, `undefined` is never. */
export interface SidecarCourse {
  /** How long each request lies before it is answered. */
  delays: Record<'image' | 'create' | 'attach' | 'start' | 'remove', number | undefined>;
  /** From its configuration to its answer. */
  readyAfter: number | undefined;
  /** From the start to its death. */
  diesAfter: number | undefined;
  /** What tells of the death, how long after it. */
  tells: { event: number | undefined; output: number | undefined };
}

export interface SidecarStandIn extends AsyncDisposable {
  engine: Engine;
  /** Methods and paths, as they came. */
  asked: string[];
}

const ready = '{"type":"ready","name":"service","version":"1","port":80,"adminPort":81}\n';
const switching = 'HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n';

/** An engine with one service, which takes requests in any order, is slow, and leaves some unanswered. */
export async function sidecarStandIn(course: SidecarCourse, answerMs: number): Promise<SidecarStandIn> {
  const { delays, readyAfter, diesAfter, tells } = course;
  const over = new AbortController();
  let channel: Duplex | undefined;
  let events: ServerResponse | undefined;

  async function after(ms: number | undefined, act: () => void): Promise<void> {
    if (ms !== undefined) {
      await setTimeout(ms, undefined, { signal: over.signal }).then(act, () => {});
    }
  }

  function answer({ method, url = '' }: IncomingMessage, response: ServerResponse): void {
    const { pathname } = new URL(url, 'http://engine');
    const json = (body: object, status = 200) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (pathname === '/events') {
      events = response;
      response.writeHead(200).flushHeaders();
    } else if (pathname.startsWith('/images/')) {
      void after(delays.image, () => json({ Id: 'image' }));
    } else if (pathname === '/containers/create') {
      void after(delays.create, () => json({ Id: 'container' }, 201));
    } else if (pathname === '/containers/container/start') {
      void after(delays.start, () => response.writeHead(204).end());
      void after(diesAfter, () => {
        void after(tells.output, () => channel?.destroy());
        void after(tells.event, () =>
          events?.write('{"Action":"die","Actor":{"ID":"container","Attributes":{"exitCode":"1"}}}\n'),
        );
      });
    } else if (method === 'DELETE') {
      void after(delays.remove, () => response.writeHead(204).end());
    } else {
      response.end('OK');
    }
  }

  function attach(_request: IncomingMessage, socket: Duplex): void {
    channel = socket;
    socket.on('error', () => {});
    void after(delays.attach, () => {
      socket.write(switching);
      socket.once('data', () => void after(readyAfter, () => socket.write(framed(ready))));
    });
  }

  const standIn = await connectStandIn(answer, { limits: { answerMs }, onUpgrade: attach });
  return {
    ...standIn,
    async [Symbol.asyncDispose]() {
      over.abort();
      channel?.destroy();
      await standIn[Symbol.asyncDispose]();
    },
  };
}

/** Standard output as the engine sends it. */
function framed(text: string): Buffer {
  const header = Buffer.from([1, 0, 0, 0, 0, 0, 0, text.length]);
  return Buffer.concat([header, Buffer.from(text)]);
}
