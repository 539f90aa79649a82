import { z } from 'zod';

const metadataUrl = (usual: string) =>
  z
    .url({ protocol: /^http$/ })
    .transform((url) => url.replace(/\/+$/, ''))
    .default(usual)
    .describe('Where the metadata service of the cloud answers.');

const linkLocal = 'http://169.254.169.254';

/**
 * How a worker that has no credentials gets them from worker-manager. In a cloud, the machine's metadata
 * tell the deployment and the pool, and prove which machine it is.
 */
export const Registration = z.discriminatedUnion('provider', [
  z.strictObject({ provider: z.literal('aws'), metadataUrl: metadataUrl(linkLocal) }),
  z.strictObject({
    provider: z.literal('google'),
    metadataUrl: metadataUrl('http://metadata.google.internal'),
  }),
  z.strictObject({ provider: z.literal('azure'), metadataUrl: metadataUrl(linkLocal) }),
  z.strictObject({
    provider: z.literal('static'),
    rootUrl: z.url({ protocol: /^https?$/ }),
    providerId: z.string(),
    workerPoolId: z.string(),
    workerGroup: z.string(),
    workerId: z.string(),
    staticSecretFile: z.string().describe('A file that holds the secret of this worker, 44 characters.'),
  }),
]);
export type Registration = z.infer<typeof Registration>;
