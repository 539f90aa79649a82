import { ApiError } from '../errors.ts';
import type { Collection, Entry } from '../store/collection.ts';

export interface PageQuery {
  continuationToken?: string | undefined;
  limit?: string | undefined;
}

const MOST_PER_PAGE = 1000;

export interface Page<T> {
  items: Entry<T>[];
  /** Spread into the response. */
  next: { continuationToken?: string };
}

/** A page as it is answered: `{tasks: […], continuationToken}`. */
export function answerPage<T>(
  name: string,
  { items, next }: Page<T>,
  describe: (value: T, key: string) => unknown = (value) => value,
): object {
  return { [name]: items.map(({ key, value }) => describe(value, key)), ...next };
}

/** One page of a collection: the token is the last key seen. */
export function listPage<T>(collection: Collection<T>, query: PageQuery, prefix = ''): Page<T> {
  const limit = parseLimit(query.limit);
  const after = query.continuationToken && Buffer.from(query.continuationToken, 'base64url').toString();
  const items = collection.list({ prefix, limit: limit + 1, ...(after && { after }) });
  return cut(items, limit);
}

/** One page of entries that are already in memory, ordered by key. */
export function slicePage<T>(entries: Entry<T>[], query: PageQuery): Page<T> {
  const limit = parseLimit(query.limit);
  const after = Buffer.from(query.continuationToken ?? '', 'base64url').toString();
  return cut(
    entries.filter(({ key }) => key > after),
    limit,
  );
}

function cut<T>(entries: Entry<T>[], limit: number): Page<T> {
  const items = entries.slice(0, limit);
  const last = items.at(-1);
  const more = entries.length > limit && last !== undefined;
  return { items, next: more ? { continuationToken: Buffer.from(last.key).toString('base64url') } : {} };
}

function parseLimit(limit: string | undefined): number {
  if (limit === undefined) return MOST_PER_PAGE;
  const value = Number(limit);
  if (!Number.isInteger(value) || value < 1 || value > MOST_PER_PAGE) {
    throw new ApiError('InvalidRequestArguments', `Query parameter limit must be 1 to ${MOST_PER_PAGE}`);
  }
  return value;
}
