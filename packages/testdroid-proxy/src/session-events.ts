import { z } from 'zod';

/** What the service tells the worker of its sessions, so that one which it cannot end is ended later. */
export const SessionEvents = z.discriminatedUnion('event', [
  z.strictObject({
    event: z.literal('session-opened'),
    sessionId: z.number(),
    /** When the cloud ends the session by itself; RFC 3339. */
    expires: z.string(),
  }),
  z.strictObject({ event: z.literal('session-released'), sessionId: z.number() }),
]);
export type SessionEvent = z.infer<typeof SessionEvents>;
