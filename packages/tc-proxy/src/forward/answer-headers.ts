import { endToEndHeaders } from '@docker-worker/service-kit';

/** Names and values as undici hands them over, as text. */
export function decodedHeaders(raw: readonly Buffer[]): string[] {
  const headers: string[] = new Array(raw.length);
  for (let index = 0; index < raw.length; index++) headers[index] = (raw[index] as Buffer).toString('latin1');
  return headers;
}

/** The first value of a header, whose name is given in lower case. */
export function headerValue(headers: readonly string[], name: string): string | undefined {
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index]?.toLowerCase() === name) return headers[index + 1];
  }
  return undefined;
}

/** What the client gets: the upstream's headers, and of ours (flat, too) those that the upstream did not send. */
export function answerHeaders(headers: readonly string[], own: readonly string[]): string[] {
  const kept = endToEndHeaders(headers);
  const length = kept.length;
  const mayRepeat = hasOwnPrefix(kept);
  for (let index = 0; index < own.length; index += 2) {
    const name = own[index] as string;
    if (!mayRepeat || !hasName(kept, length, name.toLowerCase())) kept.push(name, own[index + 1] as string);
  }
  return kept;
}

/** All of ours begin so, and hardly any upstream sends such a header. */
const ownPrefix = 'x-taskcluster-';

function hasOwnPrefix(headers: readonly string[]): boolean {
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] as string;
    if (name.length > ownPrefix.length && name.slice(0, ownPrefix.length).toLowerCase() === ownPrefix)
      return true;
  }
  return false;
}

function hasName(headers: readonly string[], length: number, name: string): boolean {
  for (let index = 0; index < length; index += 2) {
    if (headers[index]?.toLowerCase() === name) return true;
  }
  return false;
}
