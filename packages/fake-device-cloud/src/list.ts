/** One page with everything, in the form of the cloud's lists. `limit=0` asks for it, and no other is known. */
export function list<Item>(items: Iterable<Item>, search: string | null = null) {
  const data = [...items];
  return { data, offset: 0, limit: 0, total: data.length, next: null, previous: null, search, sort: null };
}

/** What a `search` finds: names that hold it, in whatever case. */
export function matching<Item extends { displayName: string }>(
  items: Iterable<Item>,
  search: string | undefined,
): Item[] {
  const needle = search?.toLowerCase();
  return [...items].filter(({ displayName }) => !needle || displayName.toLowerCase().includes(needle));
}
