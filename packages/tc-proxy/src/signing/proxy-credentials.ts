import { Credentials } from '@docker-worker/service-kit/control';
import { z } from 'zod';
import { parseCertificate } from './certificate.ts';

/**
 * Credentials that requests can be signed with: what the control channel carries, with the certificate
 * readable and the client id fit for a Hawk header. An empty certificate is no certificate.
 */
export const ProxyCredentials = Credentials.extend({
  clientId: Credentials.shape.clientId.regex(
    /^[ !#-[\]-~]+$/,
    'holds characters that a Hawk header cannot carry',
  ),
  certificate: z
    .string()
    .refine((text) => text === '' || parseCertificate(text) !== undefined, 'is not a certificate in JSON')
    .transform((text) => (text === '' ? undefined : text))
    .optional(),
});
export type ProxyCredentials = z.infer<typeof ProxyCredentials>;
