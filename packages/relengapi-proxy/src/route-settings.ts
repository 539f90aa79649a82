import { Credentials } from '@docker-worker/service-kit/control';
import { z } from 'zod';
import { defaultAllowedPermissions } from './permissions.ts';

const HttpUrl = z
  .string()
  .regex(/^https?:\/\/[^/?#@\s]+(\/[^?#\s]*)?$/, 'is not an http or https URL without query');

const TokenFile = z.strictObject({
  provider: z.literal('static-token-file').describe('A token that somebody else keeps up to date.'),
  file: z.string().min(1).optional().describe('File that holds the token; read again as it changes.'),
  token: z.string().min(1).optional().describe('The token itself, in place of a file.'),
});

/** How the requests of a route are authorized; each takes the place of the client's own `Authorization`. */
export const RouteAuth = z.discriminatedUnion('provider', [
  z.strictObject({
    provider: z
      .literal('relengapi-tmp-token')
      .describe("A temporary token with the task's permissions, issued for ten minutes at a time."),
    issuer: z
      .string()
      .regex(/^https?:\/\//)
      .describe('URL that tokens are posted to.'),
    issuingToken: z.string().min(1).optional().describe('Replaces the common issuing token.'),
  }),
  z.strictObject({
    provider: z.literal('taskcluster-hawk').describe('A Taskcluster signature.'),
    credentials: Credentials.optional().describe("Default: the task's own credentials."),
    scopes: z
      .record(z.string(), z.string())
      .optional()
      .describe('The Taskcluster scope for each permission; default: the scopes of the task as they are.'),
    signQuery: z
      .boolean()
      .default(true)
      .describe('False for servers, tooltool among them, that verify the path without the query.'),
  }),
  z.strictObject({
    provider: z.literal('oauth2-client-credentials').describe('An OAuth 2 token of a client of its own.'),
    tokenUrl: z
      .string()
      .regex(/^https?:\/\//)
      .describe('URL of the token endpoint.'),
    clientId: z.string().min(1),
    clientSecret: z.string().min(1),
    audience: z.string().optional(),
    scope: z.string().optional(),
  }),
  TokenFile,
  z.strictObject({
    provider: z.literal('none').describe("Nothing is added; the client's own header goes through."),
  }),
]);
export type RouteAuth = z.infer<typeof RouteAuth>;

// Nothing is transformed: the worker parses these settings, and the service once more what it is sent.
export const Route = z.strictObject({
  prefix: z
    .string()
    .regex(/^\/[^?#\s]*$/, 'does not begin with /')
    .describe('Paths below it take this route; the longest wins.'),
  strip: z.boolean().default(false).describe('Whether the prefix is taken off the path.'),
  upstream: HttpUrl.describe('Origin, with a base path if there is one.'),
  auth: RouteAuth,
});
export type Route = z.infer<typeof Route>;

/** What the configuration file holds, and what an operator gives the worker. */
export const RelengapiSettings = z.strictObject({
  routes: z.array(Route).min(1).optional().describe('Default: everything to the RelengAPI host.'),
  allow: z
    .array(z.string().regex(/^[^*]+$/, 'must not hold a wildcard'))
    .default(defaultAllowedPermissions)
    .describe('Permissions that scopes may give.'),
});
export type RelengapiSettings = z.infer<typeof RelengapiSettings>;
