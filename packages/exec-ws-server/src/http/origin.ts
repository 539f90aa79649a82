/**
 * Whether a browser's page may connect: one of this server's own, or of an origin that was configured.
 * Programs send no origin. The scheme is not compared, since a proxy in front may have taken the TLS away.
 */
export function isAllowedOrigin(
  origin: string | undefined,
  host: string | undefined,
  allowed: readonly string[],
): boolean {
  if (origin === undefined) {
    return true;
  }
  if (!URL.canParse(origin)) {
    return false;
  }
  const url = new URL(origin);
  return url.host === host?.toLowerCase() || allowed.includes(url.origin);
}
