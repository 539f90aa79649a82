import { z } from 'zod';

/** How people are let into tasks that ask for the feature `interactive`. */
const interactive = z
  .strictObject({
    ssl: z
      .boolean()
      .optional()
      .describe('Whether the pages are served by TLS; default: if there is a certificate.'),
    minTime: z
      .number()
      .min(0)
      .default(180)
      .describe("Seconds that a task's container stays at least, counted from its start."),
    expirationAfterSession: z
      .number()
      .min(0)
      .default(900)
      .describe('Seconds that it stays after the last person has left.'),
    artifactName: z
      .string()
      .regex(/^([^/].*)?$/, 'must not begin with "/"')
      .default('private/docker-worker/')
      .describe('What the names of the two artifacts with the link begin with.'),
    host: z
      .string()
      .min(1)
      .optional()
      .describe('Host name in the links, as browsers know it; default: the "host" of the worker.'),
    url: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('For a proxy in front: address of a page, in which "{port}" stands for the port.'),
    address: z
      .union([z.ipv4(), z.ipv6()])
      .optional()
      .describe('Address of the host on which the pages are served; default: all.'),
    ports: z
      .string()
      .regex(/^\d{1,5}-\d{1,5}$/, 'must be two ports, as "33000-33999"')
      .optional()
      .describe('Ports of the host from which each task gets one; default: any that is free.'),
    shellPage: z
      .enum(['worker', 'taskcluster'])
      .default('worker')
      .describe('Whose page the artifact shell.html leads to; interactive.html leads to the worker’s.'),
    maxSessions: z.int().min(1).default(10).describe('How many shells one task can have at once.'),
  })
  .prefault({});

export const settings = { interactive };
