import { readFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { z } from 'zod';
import { connectStandIn } from './connect-stand-in.ts';

const names = [
  'docker-rootful',
  'docker-rootless',
  'docker-newest',
  'podman-rootful',
  'podman-rootless',
] as const;

const Answer = z.object({ status: z.number(), body: z.unknown() });
export type RecordedAnswer = z.infer<typeof Answer>;

const Recorded = z.object({
  version: z.looseObject({ Version: z.string() }),
  info: z.looseObject({}),
  waited: Answer,
  inspected: z.looseObject({ Id: z.string() }),
  'events that are asked for': z.array(z.looseObject({})),
  answers: z.looseObject({}),
});

export interface RecordedEngine {
  name: (typeof names)[number];
  recorded: z.infer<typeof Recorded>;
  /** What it answered to one of the requests that `record-answers.ts` names. */
  answer(request: string): RecordedAnswer;
}

/** Engines as they were when their answers were written down. */
export const recordedEngines: RecordedEngine[] = names.map((name) => {
  const file = join(import.meta.dirname, `recorded/${name}.json`);
  const recorded = Recorded.parse(JSON.parse(readFileSync(file, 'utf8')));
  return { name, recorded, answer: (request) => Answer.parse(recorded.answers[request]) };
});

/** A connection to such an engine, which gives these answers one after the other, and the last one for good. */
export async function connectRecorded({ recorded }: RecordedEngine, ...answers: RecordedAnswer[]) {
  const left = [...answers];
  const listener: RequestListener = (request, response) => {
    if (/\/(events|_ping)\b/.test(request.url ?? '')) {
      response.writeHead(200);
      if (request.url?.includes('/events')) response.flushHeaders();
      else response.end('OK');
      return;
    }
    request.resume();
    const { status, body } = (left.length > 1 ? left.shift() : left[0]) ?? { status: 500, body: {} };
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(body === null ? undefined : `${JSON.stringify(body)}\n`);
  };
  return await connectStandIn(listener, { facts: { version: recorded.version, info: recorded.info } });
}
