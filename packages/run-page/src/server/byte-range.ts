/** What a `Range` header asks for of so many bytes; `undefined` for the whole, and where it is none that can be served. */
export function byteRange(
  header: string | undefined,
  size: number,
): { from: number; until: number } | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (first === '' && last === '') {
    return undefined;
  }
  const from = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const until = first === '' || last === '' ? size : Math.min(size, Number(last) + 1);
  return from < until ? { from, until } : undefined;
}
