import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';

/** What RelengAPI's temporary tokens say. */
const Claims = z.object({
  iss: z.literal('ra2'),
  typ: z.literal('tmp'),
  nbf: z.number(),
  exp: z.number(),
  prm: z.array(z.string()),
  mta: z.record(z.string(), z.unknown()),
});
export type Claims = z.infer<typeof Claims>;

/** A signed token in JWS compact form, HS256. */
export function signJws(claims: Claims, key: string): string {
  const signed = [{ alg: 'HS256', typ: 'JWT' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${signed}.${mac(signed, key)}`;
}

/** The claims of a token that this key has signed and that is valid now; undefined otherwise. */
export function verifyJws(token: string, key: string, now = Date.now() / 1000): Claims | undefined {
  const [header = '', body = '', signature = ''] = token.split('.');
  const expected = Buffer.from(mac(`${header}.${body}`, key));
  const given = Buffer.from(signature);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
  const claims = Claims.parse(JSON.parse(Buffer.from(body, 'base64url').toString()));
  return claims.nbf <= now && now < claims.exp ? claims : undefined;
}

function mac(text: string, key: string): string {
  return createHmac('sha256', key).update(text).digest('base64url');
}
