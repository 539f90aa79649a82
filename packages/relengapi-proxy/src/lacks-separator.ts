/**
 * Whether a command line names a task without `--` in front of it. Task ids may begin with a dash, so the
 * original took them only behind it, and a caller who forgets it must learn so with the first task.
 */
export function lacksSeparator(argv: readonly string[]): boolean {
  if (argv.includes('--')) return false;
  const last = argv.at(-1) ?? '';
  const before = argv.at(-2) ?? '';
  const isValue = /^-[^=]+$/.test(before);
  return /^[A-Za-z0-9_-]{22}$/.test(last) && !last.startsWith('--') && !isValue;
}
