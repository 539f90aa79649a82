import { z } from 'zod';
import { isRegistryPrefix } from '../engine/image-reference.ts';
import { pullPolicies } from '../engine/pull-policy.ts';

/** A registry's host, with or without a path below it. */
export const registryPrefix = z
  .string()
  .refine(
    isRegistryPrefix,
    'must be a registry as in names of images: "registry.example.com", with a path below it or without',
  );

export const dockerConfig = z
  .strictObject({
    allowPrivileged: z
      .boolean()
      .default(false)
      .describe('Whether tasks with the scope may run as `docker run --privileged` does.'),
    defaultRegistry: registryPrefix
      .default('registry.hub.docker.com')
      .describe('Registry of images that are named without one, when credentials are looked up.'),
    pull: z
      .enum(pullPolicies)
      .default('missing')
      .describe(
        'When an image of a registry is fetched: "always", though one of that name is taken when the registry cannot be had; ' +
          'if it is "missing" on this host; "never".',
      ),
    pullAnswerSeconds: z
      .number()
      .positive()
      .default(120)
      .describe('How long a registry may take for its first answer before an attempt is given up.'),
    maxAttempts: z.int().min(1).default(5).describe('How often an image is tried to be fetched in all.'),
    delayFactor: z
      .number()
      .min(0)
      .default(15_000)
      .describe('Milliseconds before the second attempt; doubled before each further one, 60 s at most.'),
    randomizationFactor: z.number().min(0).max(1).default(0.25),
    maxArchiveBytes: z
      .number()
      .positive()
      .default(50_000_000_000)
      .describe('How large an image of another task may be when it is unpacked.'),
    maxArchiveEntries: z
      .int()
      .positive()
      .default(10_000)
      .describe('How many files such an archive may have; layers count as one each.'),
  })
  .prefault({});

const registryCredentials = z.strictObject({
  username: z.string(),
  password: z.string(),
  email: z.string().optional(),
});

export const registries = z
  .record(registryPrefix, registryCredentials)
  .default({})
  .describe(
    'Credentials by registry host, or by "<host>/<user>"; a task needs a scope for images from there.',
  );

export const limits = z
  .strictObject({
    memory: z.int().min(6_291_456).optional().describe('Bytes of memory; a task has no swap beyond it.'),
    cpus: z.number().positive().optional().describe('Processor time, in cores; fractions allowed.'),
    pids: z
      .int()
      .min(1)
      .default(8192)
      .describe('How many processes and threads; without an end to them a task takes the host with it.'),
    openFiles: z.int().min(64).optional().describe("Open files per process; default: the engine's."),
    shm: z
      .int()
      .min(1)
      .default(1_800_000_000)
      .describe("Bytes of /dev/shm; browsers need more than Docker's 64 MiB."),
  })
  .prefault({})
  .describe('What each task may use at most; unless said otherwise, all that the host has.');

export const metadata = z
  .enum(['block', 'require', 'allow'])
  .default('block')
  .describe(
    'Whether tasks are kept from the metadata service of the cloud, which hands out the credentials of the machine: "block" tells ' +
      'operators when that is not possible, with "require" the worker does not start then.',
  );

const file = z.string().regex(/^\//, 'must be an absolute path');

/** Certificate of this worker's host name. */
export const ssl = z
  .strictObject({
    certificate: file.describe('PEM file of the certificate, with those between it and its root.'),
    key: file.describe('PEM file of its key.'),
  })
  .optional()
  .describe(
    'What is served by https to people: the pages of the feature interactive, live logs if configured.',
  );
