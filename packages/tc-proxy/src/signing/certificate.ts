import { z } from 'zod';

/**
 * The certificate of temporary credentials. It travels to the auth service as it came, so only what is
 * used here is described.
 */
const Certificate = z.looseObject({ scopes: z.array(z.string()) });
export type Certificate = z.infer<typeof Certificate>;

/** Parses the JSON text of a certificate; undefined when it is none. */
export function parseCertificate(text: string): Certificate | undefined {
  try {
    return Certificate.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
