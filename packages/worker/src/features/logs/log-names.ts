/** Name of the live log's artifact: the payload's `log`, else the usual one. */
export function liveLogName(payload: unknown): string {
  const { log } = (payload ?? {}) as { log?: unknown };
  return typeof log === 'string' && log !== '' ? log : 'public/logs/live.log';
}

/** `public/logs/live.log` → `public/logs/live_backing.log`: the suffix goes before the last extension. */
export function backingLogName(liveName: string): string {
  const slash = liveName.lastIndexOf('/');
  const dot = liveName.lastIndexOf('.');
  const end = dot > slash + 1 ? dot : liveName.length;
  return `${liveName.slice(0, end)}_backing${liveName.slice(end)}`;
}
