/**
 * Like Promise.all, but it waits for every one before it fails with the first failure: whatever is still
 * being made when another fails has an owner by the time that owner is disposed of.
 */
export async function all<const T extends readonly unknown[]>(
  work: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(work);
  return Promise.all(work);
}
