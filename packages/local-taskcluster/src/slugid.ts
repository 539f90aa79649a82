import slugid from 'slugid';

/** A new random 22-character identifier that never starts with `-`. */
export function newSlugid(): string {
  return slugid.nice();
}
