import { RelengapiSettings } from '@docker-worker/relengapi-proxy/sidecar';
import { z } from 'zod';

/** What an operator says to offer the feature relengAPIProxy. Without it no task can use the feature. */
export const RelengapiProxySettings = RelengapiSettings.extend({
  issuingToken: z
    .string()
    .min(1)
    .optional()
    .describe('Permanent token that issues temporary ones. Default: the variable RELENG_API_TOKEN.'),
  host: z.string().optional().describe('Where all requests go, by https, when there are no "routes".'),
  ca: z.string().optional().describe('PEM file of certificates to trust beside the system’s.'),
}).describe('How http://relengapi works; tasks cannot use relengAPIProxy without it.');
export type RelengapiProxySettings = z.infer<typeof RelengapiProxySettings>;

export const settings = { relengAPIProxy: RelengapiProxySettings.optional() };
