import { z } from 'zod';

const cache = z
  .strictObject({
    volumeCachePath: z
      .string()
      .regex(/^\/[^:]*$/, 'must be an absolute path without ":"')
      .default('/mnt/var/cache/docker-worker')
      .describe('Where the caches of tasks are kept.'),
  })
  .prefault({});

export const settings = { cache };
