import { Credentials } from '@docker-worker/service-kit/control';
import { IpAddress, Port, serviceConfigShape } from '@docker-worker/service-kit/service-config';
import { z } from 'zod';

const HttpUrl = z
  .string()
  .regex(/^https?:\/\/[^/?#@\s]+(\/[^?#\s]*)?$/, 'is not an http or https URL without query');

/** How phones get a build that none of them has. */
const FlashSettings = z
  .strictObject({
    project: z
      .string()
      .min(1)
      .describe('Name of the project whose runs flash a phone; the original had flash-fxos-new-url.'),
    urlParameter: z
      .string()
      .min(1)
      .default('FLAME_ZIP_URL')
      .describe('Run parameter for the URL of the build.'),
    memoryParameter: z.string().min(1).default('MEM_TOTAL').describe('Run parameter for the memory.'),
    labelParameter: z
      .string()
      .min(1)
      .default('BUILD_LABEL')
      .describe('Run parameter for the label that the phone gets: <memory>_<build>.'),
    limitSeconds: z.number().positive().default(600).describe('How long flashing a phone may take.'),
    pollSeconds: z.number().positive().default(10).describe('Time between looks at a flashing.'),
  })
  .describe('Flashes a phone when none has the build; without it such a phone is not to be had.');

/** What an operator says about the cloud, for a worker as well as stand-alone. */
export const testdroidShape = {
  cloudUrl: HttpUrl.transform((url) => url.replace(/\/*$/, '/')).describe(
    'The cloud; its API is at api/v2 below it.',
  ),
  apiKey: z.string().min(1).optional().describe('API key of the account; this or username and password.'),
  username: z.string().min(1).optional().describe('E-mail address of the account.'),
  password: z.string().min(1).optional(),
  proxyHost: z
    .string()
    .min(1)
    .optional()
    .describe('Host where tasks reach the proxies of a phone; default: the one that the cloud names.'),
  flash: FlashSettings.optional(),
  sessionTries: z.int().min(1).default(5).describe('How often a session is asked for on each phone.'),
  sessionPauseSeconds: z.number().min(0).default(2),
  proxyTries: z.int().min(1).default(30).describe('How often each proxy of a phone is asked for.'),
  proxyPauseSeconds: z.number().min(0).default(5),
  attemptPauseSeconds: z.number().min(0).default(10).describe('Before the second and last attempt.'),
};

/** One way to log in, and not both. */
export function oneAccount({ apiKey, username, password }: Account): boolean {
  return apiKey === undefined
    ? username !== undefined && password !== undefined
    : username === undefined && password === undefined;
}
interface Account {
  apiKey?: string | undefined;
  username?: string | undefined;
  password?: string | undefined;
}
export const oneAccountProblem = {
  path: ['apiKey'],
  message: 'give either the API key, or user name and password',
};

/** The command line gives an object without anything in it when it gives none. */
const OptionalCredentials = Credentials.partial()
  .refine(({ clientId, accessToken }) => (clientId === undefined) === (accessToken === undefined), {
    message: 'client id and access token belong together',
  })
  .transform(({ clientId, accessToken, certificate }): Credentials | undefined =>
    clientId === undefined || accessToken === undefined ? undefined : { clientId, accessToken, certificate },
  )
  .optional();

/** Everything testdroid-proxy can be told, from the worker's `configure` message or from flags and variables. */
export const TestdroidConfig = z
  .strictObject({
    ...serviceConfigShape,
    ...testdroidShape,
    /** Seconds after which a phone is given back, whoever has it. */
    deviceTimeout: z
      .number()
      .positive()
      .max(7 * 24 * 3600)
      .default(3_600),
    /** Of the Taskcluster deployment whose URLs are signed before they are given to the cloud. */
    rootUrl: HttpUrl.transform((url) => url.replace(/\/+$/, '')).optional(),
    /** Sign URLs of builds; a task's own, which the worker replaces at each reclaim. */
    credentials: OptionalCredentials,
    /** What the signature is restricted to; absent: all that the credentials can. */
    authorizedScopes: z.array(z.string()).optional(),
    port: Port.default(80),
    /** Address to listen on; absent: all interfaces. */
    address: IpAddress.optional(),
    /** PEM text of certificates trusted beside the system's. */
    ca: z.string().optional(),
    /** Seconds that the cloud has to begin an answer. */
    headersTimeout: z.number().positive().default(60),
  })
  .refine(oneAccount, oneAccountProblem);
export type TestdroidConfig = z.infer<typeof TestdroidConfig>;
