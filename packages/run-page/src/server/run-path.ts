import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { pageHeaders } from './policies.ts';

const slugid = z.string().regex(/^[A-Za-z0-9_-]{22}$/);

export const TaskPath = z.object({ taskId: slugid });
export const GroupPath = z.object({ groupId: slugid });
/** `none` is the run of a task that has had none. */
export const RunPath = z.object({
  taskId: slugid,
  runId: z
    .string()
    .regex(/^(\d{1,4}|none)$/)
    .transform((text) => (text === 'none' ? undefined : Number(text))),
});

export function notHere(reply: FastifyReply): FastifyReply {
  return reply
    .code(404)
    .headers(pageHeaders)
    .type('text/plain; charset=utf-8')
    .send('There is no such thing here, or not any more.\n');
}
